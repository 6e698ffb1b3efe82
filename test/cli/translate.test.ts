import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { frameLine } from '../../src/cli/translate/frames.js'
import { asLines, type FrameLine, jsonLines, patchbay } from './run.js'

const FOLDER = 'test/fixtures/voice-events'
const TWO_LEGS = `${FOLDER}/made-call-state-two-legs.yaml`
const body = readFileSync(TWO_LEGS, 'utf8')
const toXcc = ['translate', '--from', 'voice-events', '--to', 'xcc']
const toYaml = ['translate', '--from', 'xcc', '--to', 'voice-events', '--frames']

interface Facts {
  facts: { kind: string; id?: string; meta?: Record<string, unknown> }[]
  ext: Record<string, unknown>
}
const factsOf = (out: Buffer) => jsonLines(out).map((line) => line.body as unknown as Facts)

async function xccFrames(): Promise<FrameLine[]> {
  return jsonLines((await patchbay(toXcc, body)).out)
}

describe('input', () => {
  test('a raw body comes from standard input or from a file', async () => {
    const piped = await patchbay(toXcc, body)
    const named = await patchbay([...toXcc, TWO_LEGS])
    const dashed = await patchbay([...toXcc, '-'], body)
    expect(piped.code).toBe(0)
    expect(jsonLines(piped.out)).toHaveLength(2)
    expect([named.out, dashed.out]).toEqual([piped.out, piped.out])
  })

  test('lines come whole however the input is cut into pieces', async () => {
    const lines = Buffer.from(asLines(await xccFrames()).trimEnd())
    const whole = await patchbay([...toYaml, '--bodies'], lines)
    for (const size of [1, 7, 1000]) {
      const pieces = Array.from({ length: Math.ceil(lines.length / size) }, (_, i) =>
        lines.subarray(i * size, (i + 1) * size),
      )
      expect((await patchbay([...toYaml, '--bodies'], pieces)).out).toEqual(whole.out)
    }
  })

  test('empty lines and carriage returns do no harm', async () => {
    const lines = asLines(await xccFrames()).replaceAll('\n', '\r\n\r\n')
    const { code, out } = await patchbay([...toYaml, '--bodies'], `\n${lines}`)
    expect([code, jsonLinesOrText(out)]).toEqual([
      0,
      jsonLinesOrText((await patchbay([...toYaml, '--bodies'], lines)).out),
    ])
  })

  test('a body may come as base64, and for JSON dialects as JSON', async () => {
    const [first] = await xccFrames()
    const { body: text, ...rest } = first!
    const forms = [
      { ...rest, body: text },
      { ...rest, body64: Buffer.from(text).toString('base64') },
      { ...rest, body: JSON.parse(text) as unknown },
    ]
    const outs = await Promise.all(
      forms.map(async (form) => (await patchbay([...toYaml, '--bodies'], asLines([form]))).out),
    )
    expect(outs[1]).toEqual(outs[0])
    expect(outs[2]).toEqual(outs[0])
  })

  test('the address decides where it is given, and the content where it is not', async () => {
    const wrong = await patchbay([...toXcc, '--address', 'exchange=voice_events,key=nowhere'], body)
    expect([wrong.code, wrong.err.join()]).toEqual([
      1,
      expect.stringContaining('mapping.message: voice-events: a message at'),
    ])
    const right = await patchbay([...toXcc, '--address', 'exchange=voice_events,key=channel.call_state'], body)
    expect(right.code).toBe(0)
  })

  test('bytes that are not UTF-8 travel as base64', () => {
    const bytes = new Uint8Array([0xff, 0x00, 0x0a])
    expect(JSON.parse(frameLine({ address: { subject: 'a' }, headers: {}, body: bytes }))).toEqual({
      address: { subject: 'a' },
      headers: {},
      body64: '/wAK',
    })
  })
})

function jsonLinesOrText(out: Buffer): string {
  return out.toString('utf8')
}

describe('output', () => {
  test('frames name the fact, and the part of the message it was', async () => {
    const frames = await xccFrames()
    const [{ headers }] = frames as [FrameLine]
    const id = headers['patchbay-part']!.split(';')[0]!
    expect(frames.map((frame) => frame.headers)).toEqual([
      { 'patchbay-id': `${id}/0`, 'patchbay-part': `${id};0;2` },
      { 'patchbay-id': `${id}/1`, 'patchbay-part': `${id};1;2` },
    ])
    const [back] = jsonLines((await patchbay(toYaml, asLines(frames))).out)
    expect(back).toEqual({
      address: { exchange: 'voice_events', key: 'channel.call_state' },
      headers: { 'patchbay-id': id },
      body: expect.stringContaining('--- !ruby/object:Channel_states'),
    })
  })

  test('the same input gives the same ids, a repeated message others', async () => {
    const line = JSON.stringify({ body })
    const once = await patchbay([...toXcc, '--frames'], line)
    const again = await patchbay([...toXcc, '--frames'], line)
    const twice = jsonLines((await patchbay([...toXcc, '--frames'], `${line}\n${line}`)).out)
    expect(again.out).toEqual(once.out)
    expect(new Set(twice.map(({ headers }) => headers['patchbay-id'])).size).toBe(4)
  })

  test('an id that a message brings is kept', async () => {
    const line = JSON.stringify({ headers: { 'patchbay-id': 'theirs', 'patchbay-path': 'a,b' }, body })
    const frames = jsonLines((await patchbay([...toXcc, '--frames'], line)).out)
    expect(frames.map(({ headers }) => [headers['patchbay-id'], headers['patchbay-path']])).toEqual([
      ['theirs/0', 'a,b'],
      ['theirs/1', 'a,b'],
    ])
  })

  test('bodies alone are the bytes, with a line feed only between two that would run together', async () => {
    const xcc = (await patchbay([...toXcc, '--bodies'], body)).out.toString()
    expect(xcc.split('\n').map((line) => (JSON.parse(line) as { method: string }).method)).toEqual([
      'Event.Channel',
      'Event.Channel',
    ])
    const word = await patchbay(
      ['translate', '--from', 'facts', '--to', 'voice-events', '--bodies'],
      asLines([
        { body: { facts: [{ kind: 'lifecycle', event: 'cluster-master' }] } },
        { body: { facts: [{ kind: 'lifecycle', event: 'reboot', number: '1004' }] } },
      ]),
    )
    expect(word.out.toString()).toBe("cluster.master\n---\n- terminal.reboot\n- '1004'\n")
  })

  test('facts are a line for each wire message, also for one without an event', async () => {
    const lines = [TWO_LEGS, `${FOLDER}/made-online-offline-none.yaml`].map((file) => ({
      body: readFileSync(file, 'utf8'),
    }))
    const { code, out } = await patchbay(
      ['translate', '--from', 'voice-events', '--to', 'facts', '--frames'],
      asLines(lines),
    )
    const [full, empty] = factsOf(out)
    expect(code).toBe(0)
    expect(full!.facts.map(({ kind, id }) => [kind, id])).toEqual([
      ['channel', '7c2f1c52-1d0e-4a55-9d1f-0f3d2f6f8b11'],
      ['channel', '0e83b9aa-52d7-4b0c-8d53-5b5f3d1f9c20'],
    ])
    expect(empty).toEqual({ facts: [], ext: { 'voice-events': { $name: 'terminal-states' } } })
  })

  test.each(['2026-01-01T00:00:00Z', '1767225600000', '2026-01-01T08:00:00+08:00'])(
    '--at %s is the time of receipt',
    async (at) => {
      const args = ['translate', '--from', 'voice-events', '--to', 'facts']
      const [timed] = factsOf((await patchbay([...args, '--at', at], body)).out)
      const [untimed] = factsOf((await patchbay(args, body)).out)
      expect(timed!.facts[0]!.meta).toMatchObject({ at: 1_767_225_600_000, clock: 'receipt' })
      expect(untimed!.facts[0]!.meta).toEqual({ id: expect.any(String) })
    },
  )

  test('another profile writes other bytes', async () => {
    const frames = asLines(await xccFrames()).replaceAll('1003', '00000018')
    const outs = await Promise.all(
      ['psych-4', 'psych-2.0', 'compatible'].map(async (profile) => {
        const ran = await patchbay([...toYaml, '--bodies', '--set', `voice-events.profile=${profile}`], frames)
        return ran.out.toString()
      }),
    )
    expect(new Set(outs).size).toBeGreaterThan(1)
  })
})

describe('what cannot be translated', () => {
  test('is named by its line, and the other lines are translated', async () => {
    const good = JSON.stringify({ body })
    const lines = [
      good,
      'not json',
      '{"body":5}',
      '{"adress":{},"body":""}',
      '{"body":"--- !ruby/object:Evil {}"}',
      good,
    ].join('\n')
    const { code, out, err } = await patchbay([...toXcc, '--frames'], lines)
    expect(code).toBe(1)
    expect(jsonLines(out)).toHaveLength(4)
    expect(err.map((line) => line.split(': ').slice(0, 2).join(': '))).toEqual([
      'line 2: codec.malformed',
      'line 3: codec.field',
      'line 4: codec.field',
      'line 5: codec.tag',
    ])
  })

  test.each([
    ['no list of facts', { facts: 3 }, 'facts: want a list'],
    ['a kind nobody knows', { facts: [{ kind: 'chanel' }] }, 'facts[0].kind: want one of channel'],
    [
      'a field nobody knows',
      { facts: [{ kind: 'channel', colour: 'red' }] },
      'facts[0].colour: a channel fact has no such field',
    ],
    [
      'a field in a group nobody knows',
      { facts: [{ kind: 'channel', caller: { nmber: '1' } }] },
      'facts[0].caller.nmber',
    ],
    ['a value of another type', { facts: [{ kind: 'channel', session: 'x' }] }, 'facts[0].session: want int64'],
    [
      'a word of no closed set',
      { facts: [{ kind: 'channel', state: 'up' }] },
      'facts[0].state: want one of new, ringing',
    ],
    [
      'an extension that is no typed value',
      { facts: [{ kind: 'sync', of: 'channels', ext: { 'voice-events': { x: { $no: 1 } } } }] },
      'facts[0].ext.voice-events',
    ],
    ['something beside the facts', { facts: [], more: 1 }, 'more: a body of facts has only'],
  ])('facts with %s are refused with the place', async (_name, facts, expected) => {
    const { code, err } = await patchbay(
      ['translate', '--from', 'facts', '--to', 'voice-events'],
      asLines([{ body: facts }]),
    )
    expect([code, err.join()]).toEqual([1, expect.stringContaining(expected)])
    expect(err[0]).toMatch(/^line 1: codec\.field: /)
  })

  test('a raw body is named by its file', async () => {
    const { code, err } = await patchbay([...toXcc, 'package.json'])
    expect([code, err.join()]).toEqual([1, expect.stringMatching(/^package\.json: mapping\.message: /)])
  })
})

describe('what the target has no word for', () => {
  test('is counted, and is no failure', async () => {
    const facts = {
      facts: [
        { kind: 'dtmf', channel: 'c', digit: '1' },
        { kind: 'gap', from: 1, until: 2 },
      ],
    }
    const { code, out, err } = await patchbay(
      ['translate', '--from', 'facts', '--to', 'voice-events'],
      asLines([{ body: facts }]),
    )
    expect([code, out.length, err]).toEqual([0, 0, ['note: voice-events has no word for 2 facts (1 dtmf, 1 gap)']])
  })

  test('a message without an event is counted too', async () => {
    const { code, err } = await patchbay([...toXcc, `${FOLDER}/made-terminal-dialno-none.yaml`])
    expect([code, err]).toEqual([0, ['note: 1 message told no event, so nothing was written for it']])
  })

  test('a message of which parts never came is written as far as it goes', async () => {
    const [, second] = await xccFrames()
    const { code, out, err } = await patchbay([...toYaml, '--bodies'], asLines([second]))
    expect([code, err]).toEqual([0, ['note: 1 message lacked parts; what there was of it was written']])
    expect(out.toString().match(/uuid: /g)).toHaveLength(2)
  })

  test('a part that comes twice counts once', async () => {
    const [first, second] = await xccFrames()
    const { out, err } = await patchbay(
      [...toYaml, '--bodies', '--set', 'voice-events.profile=psych-4'],
      asLines([first, first, second]),
    )
    expect([out.toString(), err]).toEqual([body, []])
  })
})

describe('wrong use', () => {
  test.each([
    ['no command', [], ''],
    ['an unknown command', ['transform'], 'unknown command'],
    ['an unknown option', [...toXcc, '--fast'], "unknown option '--fast'"],
    ['no source', ['translate', '--to', 'xcc'], "required option '--from <dialect>'"],
    [
      'an unknown dialect',
      ['translate', '--from', 'sip', '--to', 'xcc'],
      'there is no dialect sip; want voice-events, xcc, stasis or facts',
    ],
    ['a setting without a dialect', [...toXcc, '--set', 'profile=psych-4'], 'want dialect.name=value'],
    ['a setting of an unknown dialect', [...toXcc, '--set', 'sip.x=1'], '--set: there is no dialect sip'],
    ['an address that is none', [...toXcc, '--address', 'voice_events'], 'want name=value'],
    ['a time that is none', [...toXcc, '--at', 'noon'], 'want a time such as'],
    [
      'an address for many lines',
      [...toXcc, '--frames', '--address', 'a=b'],
      'in JSON lines each line has its own address',
    ],
    ['a file that is not there', [...toXcc, 'gone.yaml'], 'gone.yaml cannot be read (ENOENT)'],
    ['a folder', [...toXcc, 'mappings'], 'mappings is a folder'],
    [
      'two mappings of one dialect',
      [...toXcc, '--mapping', 'mappings/xcc.yaml', '--mapping', 'mappings/xcc.yaml'],
      'two mapping files for the dialect xcc',
    ],
  ])('%s ends with 2 and says what is wanted', async (_name, args, expected) => {
    const { code, out, err } = await patchbay(args)
    expect([code, out.length]).toEqual([2, 0])
    expect(err.join('\n')).toContain(expected)
  })

  test.each(['run', 'check', 'test', 'translate', 'demo'])(
    'patchbay %s --help shows examples and exit codes',
    async (name) => {
      const { code, out } = await patchbay([name, '--help'])
      expect(code).toBe(0)
      for (const part of ['Usage: patchbay', 'Examples:', `patchbay ${name}`, 'Exit codes:'])
        expect(out.toString()).toContain(part)
    },
  )

  test('a setting that the mapping does not have is a fault of its place', async () => {
    const { code, err } = await patchbay([...toXcc, '--set', 'voice-events.profil=psych-4'], body)
    expect([code, err.join()]).toEqual([
      1,
      expect.stringContaining('voice-events has no setting profil; did you mean profile?'),
    ])
  })
})

describe('as a program', () => {
  function program(args: readonly string[]) {
    return spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  }

  test('it ends quietly when its reader goes away, however much is left to write', async () => {
    const child = program([...toXcc, '--frames'])
    let err = ''
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(asLines(Array.from({ length: 2000 }, () => ({ body }))))
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const [code] = (await once(child, 'exit')) as [number]
    expect([code, err]).toEqual([0, ''])
  })

  test('a slow reader gets every line', async () => {
    const child = program([...toXcc, '--frames'])
    child.stdin.end(asLines(Array.from({ length: 1500 }, () => ({ body }))))
    let lines = 0
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      lines += chunk.toString().split('\n').length - 1
      if (lines % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(lines).toBe(3000)
  })
})
