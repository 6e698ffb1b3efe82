import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { type AsteriskOptions, findAsterisk } from '../../src/cli/demo/asterisk.js'
import { type BrokerOptions, findBrokers } from '../../src/cli/demo/brokers.js'
import { CALL_EVENTS, TERMINALS } from '../../src/cli/demo/samples.js'
import { cut, terminalOf, wrap } from '../../src/cli/demo/terminal.js'
import { elementsOf } from '../../src/cli/demo/wire-text.js'
import { type Io, runCli } from '../../src/cli/index.js'

interface Ran {
  readonly code: number
  readonly lines: readonly string[]
  readonly err: readonly string[]
}

async function demo(env: Record<string, string>, ...args: string[]): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const io: Io = {
    stdin: (async function* () {})(),
    env,
    out: async (chunk) => void out.push(Buffer.from(chunk).toString()),
    err: (line) => void err.push(line),
  }
  const code = await runCli(['demo', ...args], io)
  return { code, lines: out.join('').split('\n'), err }
}

/** The right-hand column of one table, as one text. */
function wentOut({ lines }: Ran, act: string): string {
  const start = lines.findIndex((line) => line.includes(act))
  const end = lines.findIndex((line, at) => at > start && line.includes('┴'))
  const rows = lines.slice(start, end).filter((line) => line.includes(' │'))
  return rows.map((line) => line.slice(line.indexOf('│') + 1).trim()).join('\n')
}

/** Names of Asterisk's events in a column. */
const events = (text: string) => text.match(/^(?:Stasis|Channel)[A-Z]\w*$/gm)

const fixture = (name: string) => readFileSync(`test/fixtures/voice-events/${name}.yaml`, 'utf8')

test('the samples are real messages', () => {
  expect(CALL_EVENTS).toBe(fixture('seed-channel-call-state'))
  expect(TERMINALS).toBe(fixture('made-online-offline-change'))
})

test('without brokers the demo says so, shows every act and ends well within its time', async () => {
  const started = performance.now()
  const ran = await demo({ COLUMNS: '140' }, '--embedded')
  expect(performance.now() - started).toBeLessThan(20_000)
  expect(ran).toMatchObject({ code: 0, err: [] })
  expect(ran.lines.join('\n')).toContain('As asked, there is no broker: messages stay inside this process.')

  const states = (text: string) => [...text.matchAll(/^state: "?([A-Z]+)/gm)].map(([, state]) => state)
  expect(states(wentOut(ran, '1  A call'))).toEqual(['START', 'MEDIA', 'RINGING', 'ANSWERED'])
  expect(wentOut(ran, '1  A call')).toContain('cid_number: "0008"')
  expect(wentOut(ran, '1  A call')).toContain('nothing: controllers were told MEDIA before')
  expect(wentOut(ran, '2  A controller')).toMatch(/code: 200[\s\S]*code: 501/)
  expect(states(wentOut(ran, '3  A call'))).toEqual(['EARLY', 'RINGING', 'ACTIVE', 'ACTIVE'])
  expect(wentOut(ran, '4  A legacy')).toMatch(/is_sync: true[\s\S]*65da6180[\s\S]*event 2 of 2[\s\S]*uuid: c-1001/)
  expect(states(wentOut(ran, '5  Both'))).toEqual(['DESTROY', 'HANGUP'])
  expect(wentOut(ran, '5  Both')).toMatch(
    /Event\.CDR[\s\S]*cdr\.billsec: "35"[\s\S]*cn\.xswitch\.ctrl\.desk[\s\S]*DESTROY/,
  )
  expect(events(wentOut(ran, '6  Both'))).toEqual([
    'StasisStart',
    'ChannelStateChange',
    'ChannelStateChange',
    'ChannelStateChange',
    'StasisStart',
    'ChannelStateChange',
    'ChannelStateChange',
    'ChannelEnteredBridge',
    'StasisEnd',
    'ChannelLeftBridge',
    'StasisEnd',
  ])
  expect(wentOut(ran, '6  Both')).toMatch(
    /channel\.id: "65da6180[\s\S]*channel\.caller\.number: "0008"[\s\S]*channel\.id: "c-1001"[\s\S]*channel\.caller\.name: "Ann"/,
  )
  expect(ran.lines.join('\n')).toContain('Here: a stand-in that plays a call recorded on Asterisk 22.')
  expect(states(wentOut(ran, '7  A call on an Asterisk'))).toEqual([
    'START',
    'EARLY',
    'ANSWERED',
    'ACTIVE',
    'BRIDGE',
    'ACTIVE',
    'UNBRIDGE',
    'ACTIVE',
    'DESTROY',
    'HANGUP',
  ])
  expect(wentOut(ran, '7  A call on an Asterisk')).toMatch(
    /r_uuid: ast1-1795193951\.372[\s\S]*cdr\.billsec: "1"[\s\S]*cdr\.hangup_cause: "NORMAL_CLEARING"/,
  )
  expect(wentOut(ran, '8  Telephones').match(/Event\.NativeEvent/g)).toHaveLength(4)
  expect(wentOut(ran, '8  Telephones')).toMatch(/- a1cc94a6[\s\S]*event\.serial: "f4908713"[\s\S]*- f4908713/)
  expect(wentOut(ran, '9  What')).toContain('patchbay-error-code: codec.tag')
  expect(ran.lines.join('\n')).toMatch(/45 sent on, 1 dead letter, 0 lost/)
})

test('the README quotes the demo', async () => {
  const told = readFileSync('README.md', 'utf8').split('\n## What the demo shows\n')[1]!.split('\n## ')[0]!
  const quoted = [...told.matchAll(/^```\n([\s\S]*?)^```$/gm)].flatMap(([, block]) => block!.trimEnd().split('\n'))
  expect(quoted.length).toBeGreaterThan(10)
  const { lines } = await demo({ COLUMNS: '98' }, '--embedded')
  expect(quoted.filter((line) => line !== ' …' && !lines.includes(line))).toEqual([])
})

test.each([24, 40, 63, 64, 80, 120])('a terminal of %i columns is not overrun', async (columns) => {
  const { code, lines } = await demo({ COLUMNS: String(columns) }, '--embedded')
  expect(code).toBe(0)
  expect(lines.filter((line) => line.length > columns)).toEqual([])
})

test('--full shows bodies whole, also where lines have to be broken', async () => {
  const ran = await demo({ COLUMNS: '80' }, '--embedded', '--full')
  const text = wentOut(ran, '1  A call').replaceAll('\n', '')
  expect(text).toContain(
    '"dest_number": "*#BROADCAST#_#SPE#_6c851bb_?#*#b_n=6c851bb;d_ds=1004:1003:1002 "'.replaceAll(' "', ' "'),
  )
  expect(ran.lines.join('\n')).not.toContain('…')
})

const addresses = [
  { name: 'no address at all', env: { PATCHBAY_AMQP_URL: 'rabbit' }, want: 'PATCHBAY_AMQP_URL is no address; want' },
  { name: 'another protocol', env: { PATCHBAY_NATS_URL: 'http://x' }, want: 'PATCHBAY_NATS_URL is no address of NATS' },
  { name: 'no user', env: { PATCHBAY_AMQP_URL: 'amqp://x' }, want: 'PATCHBAY_AMQP_URL is no address of RabbitMQ' },
]
const NO_PROGRAMS = { amqp: () => undefined, nats: () => undefined }
const quiet: BrokerOptions = { env: {}, embedded: false, note: () => undefined, starters: NO_PROGRAMS }

test.each(addresses)('an address in the environment is refused: $name', async ({ env, want }) => {
  await expect(findBrokers({ ...quiet, env })).rejects.toThrow(want)
})

test('a broker that does not answer ends the demo with a clear text and without its password', async () => {
  const env = { PATCHBAY_AMQP_URL: 'amqp://me:hush@127.0.0.1:1', PATCHBAY_NATS_URL: 'nats://127.0.0.1:1' }
  const { code, err } = await demo(env)
  expect(code).toBe(1)
  expect(err.join('\n')).toMatch(
    /^error: no answer from RabbitMQ at 127\.0\.0\.1:1 \(PATCHBAY_AMQP_URL\).*ECONNREFUSED/,
  )
  expect(err.join('\n')).not.toContain('hush')
})

test('brokers are taken from the environment, then from this machine, then there are none', async () => {
  const started = async () => ({ url: 'nats://here', port: 1, stop: async () => undefined })
  const brokers = await findBrokers({
    ...quiet,
    env: { PATCHBAY_AMQP_URL: 'amqp://a:b@there:5/v', PATCHBAY_NATS_URL: '' },
    starters: { ...NO_PROGRAMS, nats: () => started },
  })
  expect([brokers.amqp.how, brokers.amqp.label]).toEqual(['given', 'RabbitMQ at there:5 (PATCHBAY_AMQP_URL)'])
  expect([brokers.nats.how, brokers.nats.url]).toEqual(['started', 'nats://here'])
  const none = await findBrokers(quiet)
  expect([none.amqp.how, none.nats.how]).toEqual(['embedded', 'embedded'])
})

/** A server that stands in for an Asterisk; gives its host and port. */
async function answering(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on a port
}

const nowhere: AsteriskOptions = {
  env: {},
  embedded: false,
  own: 'demo-own',
  note: () => undefined,
  starter: () => undefined,
}

test('a program that does not start is left out, and that is said', async () => {
  const notes: string[] = []
  const fails = () => Promise.reject(new Error('Erlang is broken\nand more'))
  const starters = { ...NO_PROGRAMS, amqp: () => fails }
  const { amqp } = await findBrokers({ ...quiet, note: (line) => void notes.push(line), starters })
  expect(amqp.how).toBe('embedded')
  expect(notes.at(-1)).toBe('rabbitmq-server does not start, so it is left out: Erlang is broken')
})

const terminals = [
  { name: 'a terminal', stream: { isTTY: true, columns: 90 }, env: {}, columns: 90, coloured: true },
  {
    name: 'a terminal that wants no colour',
    stream: { isTTY: true, columns: 90 },
    env: { NO_COLOR: '1' },
    columns: 90,
    coloured: false,
  },
  {
    name: 'a dumb terminal',
    stream: { isTTY: true, columns: 90 },
    env: { TERM: 'dumb' },
    columns: 90,
    coloured: false,
  },
  { name: 'a pipe', stream: {}, env: {}, columns: 100, coloured: false },
  { name: 'a pipe of a told width', stream: {}, env: { COLUMNS: '70' }, columns: 70, coloured: false },
  { name: 'a width that is no number', stream: {}, env: { COLUMNS: 'wide' }, columns: 100, coloured: false },
  { name: 'a screen without width', stream: { isTTY: true, columns: 0 }, env: {}, columns: 100, coloured: true },
  { name: 'a very wide screen', stream: { isTTY: true, columns: 500 }, env: {}, columns: 160, coloured: true },
]
test.each(terminals)('the look suits $name', ({ stream, env, columns, coloured }) => {
  const terminal = terminalOf(stream, env)
  expect(terminal.columns).toBe(columns)
  expect(terminal.paint('strong', 'x') !== 'x').toBe(coloured)
})

test('an Asterisk is taken from the environment, then from this machine, then there is a stand-in', async () => {
  const asked: (string | undefined)[] = []
  const there = await answering((request, response) => {
    asked.push(request.url, request.headers.authorization)
    response.end('{}')
  })
  const given = await findAsterisk({ ...nowhere, env: { PATCHBAY_ARI_URL: `http://me:hu%40sh@${there}/pbx/` } })
  expect([given.how, given.label]).toEqual(['given', `Asterisk at ${there} (PATCHBAY_ARI_URL)`])
  expect(asked).toEqual(['/pbx/ari/asterisk/info?only=system', `Basic ${btoa('me:hu@sh')}`])
  expect(given.access).toMatchObject({ username: 'me', password: 'hu@sh', app: 'demo-own', isReal: true })
  expect(given.access.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  await given.stop()

  let stopped = 0
  const stop = async () => void stopped++
  const started = await findAsterisk({
    ...nowhere,
    starter: () => async () => ({ url: 'http://127.0.0.1:1', port: 1, username: 'u', password: 'p', stop }),
  })
  expect([started.how, started.label]).toEqual(['started', 'Asterisk, started for this demo on port 1'])
  await started.stop()
  expect(stopped).toBe(1)

  const notes: string[] = []
  const recorded = await findAsterisk({
    ...nowhere,
    note: (line) => void notes.push(line),
    starter: () => () => Promise.reject(new Error('no module loads\nand more')),
  })
  expect(recorded.how).toBe('recorded')
  expect(notes.at(-1)).toBe('asterisk does not start, so a stand-in takes its place: no module loads')
  await recorded.stop()
})

test.each(['asterisk', 'ftp://a:b@x', 'http://x:8088', 'http://a@x:8088'])(
  'an address of an Asterisk is refused: %s',
  async (url) => {
    await expect(findAsterisk({ ...nowhere, env: { PATCHBAY_ARI_URL: url } })).rejects.toThrow(
      'PATCHBAY_ARI_URL is no address of an Asterisk; want one such as http://user:password@host:8088',
    )
  },
)

test('an Asterisk that refuses us ends the demo with a clear text and without its password', async () => {
  const there = await answering((_request, response) => {
    response.writeHead(401).end('{"message":"Authentication required"}')
  })
  const refused = findAsterisk({ ...nowhere, env: { PATCHBAY_ARI_URL: `http://me:hush@${there}` } })
  await expect(refused).rejects.toThrow(
    `Asterisk at ${there} (PATCHBAY_ARI_URL) answers GET /ari/asterisk/info?only=system with 401 {"message":"Authentication required"}`,
  )
  const gone = findAsterisk({ ...nowhere, env: { PATCHBAY_ARI_URL: 'http://me:hush@127.0.0.1:9' } })
  await expect(gone).rejects.toThrow('no answer from Asterisk at 127.0.0.1:9 (PATCHBAY_ARI_URL): fetch failed')
})

test('text is wrapped between words, kept indented, and broken where it must be', () => {
  expect(wrap('  one two three', 9)).toEqual(['  one two', '  three'])
  expect(wrap('abcdefgh', 3)).toEqual(['abc', 'def', 'gh'])
  expect(cut('abcdef', 4)).toBe('abc…')
  expect(cut('a\u001b[31m', 9)).toBe('a·[31m')
})

test('whatever came can be shown', () => {
  const bodies = [
    '{"type":"X"}',
    '{"type":"X","channel":null}',
    '',
    '{',
    '[1]',
    '--- 1',
    'evts:',
    '---\nevts:\n',
    '--- !ruby/object:X\nevts: []\n',
    '\u0000',
  ]
  for (const body of bodies) expect(() => elementsOf(Buffer.from(body))).not.toThrow()
})
