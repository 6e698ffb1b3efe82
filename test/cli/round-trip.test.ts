import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse, type RubyMap, type RubyValue, stringify, toTyped } from '../../src/codecs/ruby-yaml/index.js'
import { asLines, type FrameLine, jsonLines, patchbay } from './run.js'

const FOLDER = 'test/fixtures/voice-events'
const CLASSES = ['Channel_states', 'TerminalDialno', 'Terminal::TerminalDialno']

interface Sample {
  readonly file: string
  readonly routing_key: string | null
}

const samples = JSON.parse(readFileSync(`${FOLDER}/manifest.json`, 'utf8')) as Sample[]
const psych4 = samples.filter(({ file }) => !file.startsWith('seed-'))
/** The seed's own files that one version of Psych writes as they are; the fifth was edited by hand. */
const psych20 = samples.filter(({ file }) => file.startsWith('seed-') && file !== 'seed-channel-call-state.yaml')
const byProfile = [
  ...psych4.map((sample) => ['psych-4', sample.file, sample] as const),
  ...psych20.map((sample) => ['psych-2.0', sample.file, sample] as const),
]

const profileOption = (profile: string) => ['--set', `voice-events.profile=${profile}`]

function addressOption({ routing_key: key }: Sample): string[] {
  return ['--address', `exchange=voice_events,key=${key ?? 'terminal.dialno'}`]
}

const bodyOf = ({ file }: Sample) => readFileSync(`${FOLDER}/${file}`)

async function toLines(sample: Sample, to: string, profile: string): Promise<FrameLine[]> {
  const input = ['translate', '--from', 'voice-events', '--to', to]
  const ran = await patchbay([...input, ...addressOption(sample), ...profileOption(profile)], bodyOf(sample))
  expect(ran.code).toBe(0)
  return jsonLines(ran.out)
}

async function back(lines: readonly unknown[], from: string, profile: string): Promise<Buffer> {
  const input = ['translate', '--from', from, '--to', 'voice-events', '--frames', '--bodies']
  const ran = await patchbay([...input, ...profileOption(profile)], asLines(lines))
  expect(ran.err).toEqual([])
  expect(ran.code).toBe(0)
  return ran.out
}

describe('voice-events to facts and back gives the same bytes', () => {
  test.each(byProfile)('under %s: %s', async (profile, _file, sample) => {
    const lines = await toLines(sample, 'facts', profile)
    expect(lines).toHaveLength(1)
    expect((await back(lines, 'facts', profile)).toString()).toBe(bodyOf(sample).toString())
  })

  test('a message comes back on the address where it was', async () => {
    for (const sample of samples) {
      const lines = await toLines(sample, 'facts', 'psych-4')
      const ran = await patchbay(['translate', '--from', 'facts', '--to', 'voice-events'], asLines(lines))
      expect(jsonLines(ran.out).map(({ address }) => address)).toEqual([
        { exchange: 'voice_events', key: sample.routing_key ?? 'terminal.dialno' },
      ])
    }
  })
})

describe('voice-events to XCC and back gives the same bytes', () => {
  test.each(byProfile)('under %s: %s', async (profile, _file, sample) => {
    const frames = await toLines(sample, 'xcc', profile)
    const [facts] = await toLines(sample, 'facts', profile)
    const told = (facts!.body as unknown as { facts: unknown[] }).facts.length
    expect(frames).toHaveLength(told)
    if (told === 0) return
    expect((await back(frames, 'xcc', profile)).toString()).toBe(bodyOf(sample).toString())
  })

  test('also when the frames of all messages come mixed and backwards', async () => {
    const all: FrameLine[] = []
    const expected: string[] = []
    for (const sample of psych4) {
      const frames = await toLines(sample, 'xcc', 'psych-4')
      if (frames.length > 0) expected.push(bodyOf(sample).toString())
      all.push(...frames)
    }
    const ran = await patchbay(
      ['translate', '--from', 'xcc', '--to', 'voice-events', '--frames', ...profileOption('psych-4')],
      asLines(interleave(all.reverse())),
    )
    expect(ran.err).toEqual([])
    expect(
      jsonLines(ran.out)
        .map(({ body }) => body)
        .sort(),
    ).toEqual(expected.sort())
  })

  test('nothing that XCC says in its own words rides along a second time', async () => {
    for (const sample of psych4) {
      for (const { body, headers } of await toLines(sample, 'xcc', 'psych-4')) {
        const { params } = JSON.parse(body) as { params: Record<string, unknown> }
        const carried = Object.keys((params.params ?? params.event ?? {}) as object)
        const own = ['direction', 'caller.number', 'dialled', 'id', 'peers', 'serial', 'number', 'flags.bridged']
        expect(carried.filter((key) => own.some((name) => key === `patchbay_${name}`))).toEqual([])
        expect(Object.keys(headers).sort()).toEqual(['patchbay-id', 'patchbay-part'])
      }
    }
  })
})

function interleave<T>(items: readonly T[]): T[] {
  const half = Math.ceil(items.length / 2)
  return items.slice(0, half).flatMap((item, i) => (i + half < items.length ? [item, items[i + half]!] : [item]))
}

/** XCC's word, and the legacy side's for the same. */
const STATES = { RINGING: 'RINGING', MEDIA: 'EARLY', ANSWERED: 'ACTIVE', BRIDGE: 'ACTIVE', DESTROY: 'HANGUP' } as const

describe('what is changed in an XCC frame is what changes in the YAML, and nothing else', () => {
  const withEvents = psych4.filter(({ routing_key: key }) => key === 'channel.call_state')

  test.each(withEvents)('$file', async (sample) => {
    const frames = await toLines(sample, 'xcc', 'psych-4')
    const variants = frames.flatMap((_, index) =>
      Object.entries(STATES).map(([state, word]) => ({ index, state, word, name: `${index}-${state}` })),
    )
    const lines = variants.flatMap(({ index, state, name }) => {
      const body = withParams(frames[index]!.body, { cid_number: '7777', state })
      return frames.with(index, { ...frames[index]!, body }).map((frame) => ofMessage(frame, name))
    })
    const made = await backAsLines(lines)
    expect(made).toHaveLength(variants.length)
    for (const [i, { index, word }] of variants.entries()) {
      const expected = withEvent(sample, index, { from: '7777', state: word })
      // Sharing ends where one of the sharers changes: then values are compared, otherwise bytes.
      if (sample.file.includes('shared')) expect(plain(parse(made[i]!, { classes: CLASSES }))).toEqual(plain(expected))
      else expect(made[i]).toBe(stringify(expected, { profile: 'psych-4' }))
    }
  })

  test('one value alone changes one line', async () => {
    const sample = psych4.find(({ file }) => file === 'made-call-state-two-legs.yaml')!
    const frames = await toLines(sample, 'xcc', 'psych-4')
    for (const [params, event] of [
      [{ cid_number: '2002' }, { from: '2002' }],
      [{ state: 'MEDIA' }, { state: 'EARLY' }],
      [{ dest_number: '3003' }, { des: '3003' }],
    ] as const) {
      const changed = frames.with(1, { ...frames[1]!, body: withParams(frames[1]!.body, params) })
      const made = (await back(changed, 'xcc', 'psych-4')).toString()
      expect(made).toBe(stringify(withEvent(sample, 1, event), { profile: 'psych-4' }))
      const before = bodyOf(sample).toString().split('\n')
      expect(made.split('\n').filter((line, i) => line !== before[i])).toHaveLength(1)
    }
  })
})

/** The frame as a part of a message of its own. */
function ofMessage(frame: FrameLine, name: string): FrameLine {
  const part = `${name}:${frame.headers['patchbay-part']}`
  return { ...frame, headers: { 'patchbay-part': part } }
}

async function backAsLines(lines: readonly unknown[]): Promise<string[]> {
  const ran = await patchbay(
    ['translate', '--from', 'xcc', '--to', 'voice-events', '--frames', ...profileOption('psych-4')],
    asLines(lines),
  )
  expect([ran.code, ran.err]).toEqual([0, []])
  return jsonLines(ran.out).map(({ body }) => body)
}

function withParams(body: string, change: Record<string, string>): string {
  const message = JSON.parse(body) as { params: Record<string, unknown> }
  return JSON.stringify({ ...message, params: { ...message.params, ...change } })
}

/** The sample's value with other fields in one of its events. */
function withEvent(sample: Sample, index: number, change: Record<string, string>): RubyMap {
  const root = parse(bodyOf(sample), { classes: CLASSES }) as RubyMap
  const events = root.get('evts') as RubyMap[]
  const event = events[index]!
  const changed = Object.assign(Object.create(Object.getPrototypeOf(event)) as RubyMap, event)
  changed.keys = [...event.keys]
  changed.values = [...event.values]
  for (const [key, value] of Object.entries(change)) {
    const at = changed.keys.indexOf(key)
    if (at >= 0) changed.values[at] = value
    else {
      changed.keys.push(key)
      changed.values.push(value)
    }
  }
  events[index] = changed
  return root
}

/** Typed JSON in which every value is written out, shared or not. */
function plain(value: RubyValue): unknown {
  return toTyped(value, new Set())
}
