import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { headers as natsHeaders } from '@nats-io/nats-core'
import { type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { type Io, runCli } from '../../src/cli/index.js'
import { callState } from '../faults/legacy-load.js'
import { freshVhost, startFaultProxy, startNats, type TestNats } from '../harness/index.js'
import { legacySide, startGateway, until, xccSide } from '../integration/site.js'
import { patchbay } from './run.js'

const DEAD = 'patchbay.dead-letters'
const OWN = 'patchbay.gw.legacy'
const BUS = 'cn.xswitch.ctrl'
const CALL_STATE = { exchange: 'voice_events', key: 'channel.call_state' }
const NOBODY = 'nats://127.0.0.1:9'

interface Wishes {
  readonly legacy?: string
  readonly bus?: string
  readonly links?: string
  readonly routes?: string
  readonly top?: string
}

function configuration(amqpUrl: string, natsUrl: string, wishes: Wishes = {}): string {
  const { legacy = '', bus = '', links = '', routes = '', top = '' } = wishes
  return `
group: gw
${top}
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}'${legacy} }
  bus: { type: nats, dialect: xcc, servers: ['${natsUrl}']${bus} }
${links}
routes:
  - { from: legacy, to: bus, sync: { ask: false } }
${routes}
`
}

function configurationFile(yaml: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'patchbay-dlq-')), 'patchbay.yaml')
  writeFileSync(file, yaml)
  return file
}

/** Runs `patchbay dlq` with a configuration. */
async function dlq(yaml: string, args: readonly string[]) {
  const { code, out, err } = await patchbay(['dlq', ...args, '-c', configurationFile(yaml)])
  return { code, out, text: out.toString(), err }
}

interface Listed {
  readonly id: string
  readonly code: string
  readonly link: string
  readonly address: Record<string, string>
  readonly bytes: number
}

async function listed(yaml: string, ...args: string[]): Promise<Listed[]> {
  const { text } = await dlq(yaml, ['ls', '--json', ...args])
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Listed]))
}

const ids = (letters: readonly Listed[]) => letters.map(({ id }) => id)

async function newVhost(): Promise<{ readonly url: string; readonly channel: ConfirmChannel }> {
  const url = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  const model = await connect(url)
  onTestFinished(() => model.close())
  const channel = await model.createConfirmChannel()
  return { url, channel }
}

async function declare(channel: ConfirmChannel, ...queues: string[]): Promise<void> {
  for (const queue of queues) {
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  }
}

const CODES = ['codec.malformed', 'mapping.message', 'mapping.required']

interface Made {
  readonly link?: string
  readonly size?: number
}

/** Puts letters `m0`, `m1`, … into the queue, as a gateway does. Their codes take turns. */
async function makeLetters(channel: ConfirmChannel, count: number, { link = 'legacy', size = 20 }: Made = {}) {
  for (let at = 0; at < count; at++) {
    channel.publish('', DEAD, Buffer.from(`body ${at} `.padEnd(size, '.')), {
      persistent: true,
      messageId: `m${at}`,
      headers: {
        theirs: `x${at}`,
        'patchbay-id': `m${at}`,
        'patchbay-link': link,
        'patchbay-error-code': CODES[at % CODES.length],
        'patchbay-error': 'what was wrong',
        'patchbay-dead-at': '2026-01-02T03:04:05.678Z',
        'patchbay-address': JSON.stringify(CALL_STATE),
      },
    })
  }
  await channel.waitForConfirms()
}

async function emptied(channel: ConfirmChannel, queue: string): Promise<ConsumeMessage[]> {
  const { messageCount } = await channel.checkQueue(queue)
  const found: ConsumeMessage[] = []
  if (messageCount === 0) return found
  await channel.prefetch(messageCount)
  await new Promise<void>((resolve) => {
    const take = (message: ConsumeMessage | null) => {
      if (message !== null && found.push(message) === messageCount) resolve()
    }
    void channel.consume(queue, take, { consumerTag: 'emptier' })
  })
  for (const message of found) channel.ack(message)
  await channel.cancel('emptier')
  return found
}

const idOf = ({ properties: { messageId } }: ConsumeMessage) => String(messageId)
const numbered = (count: number, wanted: (at: number) => boolean = () => true) =>
  Array.from({ length: count }, (_, at) => at).flatMap((at) => (wanted(at) ? [`m${at}`] : []))

describe('letters of an AMQP link', () => {
  test('what a gateway put aside is listed, shown, sent again once the mapping is mended, and dropped', async () => {
    const { url } = await newVhost()
    const nats = await startNats()
    const legacy = await legacySide(url)
    const bus = await xccSide(nats.url)
    const tight = configuration(url, nats.url, { top: 'limits: { bytes: 150 }' })
    const mended = configuration(url, nats.url)
    let gateway = await startGateway(tight)
    onTestFinished(async () => {
      await gateway.stop()
      await legacy.close()
      await bus.close()
      await nats.stop()
    })
    const call = callState('call-1', 'RINGING')
    const garbage = Buffer.from([0x2d, 0xff, 0x00, 0x41])
    await legacy.publish(call.exchange, call.key, call.body, { messageId: 'too-long', timestamp: 1_700_000_000 })
    await legacy.publish(call.exchange, call.key, garbage, { messageId: 'garbage' })
    await expect.poll(async () => (await listed(mended)).length).toBe(2)

    const [long, bad] = await listed(mended)
    expect([long, bad]).toMatchObject([
      { code: 'codec.limit', link: 'legacy', address: CALL_STATE, bytes: Buffer.from(call.body).length },
      { code: 'codec.encoding', link: 'legacy', address: CALL_STATE, bytes: 4 },
    ])
    const list = await dlq(mended, ['ls', '--code', 'codec.limit'])
    expect(list.text.split('\n')).toEqual([
      expect.stringMatching(
        /^too-long-\S+ +20\S+Z +legacy +codec\.limit +exchange=voice_events key=channel\.call_state +\d+ {2}\S/,
      ),
      '1 dead letter',
      '',
    ])
    const summary = await dlq(mended, ['ls', '--summary'])
    expect(summary.text).toMatch(
      /^ +1 {2}codec\.\w+ +legacy +20\S+Z\n +1 {2}codec\.\w+ +legacy +20\S+Z\n2 dead letters\n$/,
    )
    const page = await dlq(mended, ['show', long!.id])
    expect(page.text).toMatch(/^reason +\S.*\ncode +codec\.limit\n/m)
    expect(page.text).toContain(String(call.body))
    expect((await dlq(mended, ['show', bad!.id])).text).toContain('00000000  2d ff 00 41')
    expect((await dlq(mended, ['show', bad!.id, '--raw'])).out).toEqual(garbage)

    await gateway.stop()
    gateway = await startGateway(mended)
    const before = legacy.seen.length
    const replayed = await dlq(mended, ['replay', '--all', '--link', 'legacy'])
    expect([replayed.code, replayed.text]).toEqual([0, '2 dead letters sent again\n'])
    await until(() => bus.events('Event.Channel').some(({ params }) => params.uuid === 'call-1'))
    const told = bus.seen.find(({ body }) => body.includes('call-1'))
    expect(told?.headers['patchbay-id']).toContain(long!.id)
    // The other one fails again, as a new letter of the same message.
    await expect.poll(async () => listed(mended)).toMatchObject([{ id: bad!.id, address: CALL_STATE }])
    expect(legacy.seen.slice(before), 'other consumers of the exchange').toEqual([])

    const dropped = await dlq(mended, ['drop', bad!.id])
    expect([dropped.code, dropped.text]).toEqual([0, '1 dead letter dropped\n'])
    expect(await listed(mended)).toEqual([])
  })

  test('of 10,000 letters those of one code are dropped and the rest is sent again, each once and in order', async () => {
    const { url, channel } = await newVhost()
    const yaml = configuration(url, NOBODY)
    const args = ['--link', 'legacy']
    await declare(channel, DEAD, OWN)
    await makeLetters(channel, 10_000)
    expect(ids(await listed(yaml, ...args))).toEqual(numbered(10_000))
    const summary = await dlq(yaml, ['ls', '--summary', ...args])
    expect(summary.text).toContain('10000 dead letters')
    const dropped = await dlq(yaml, ['drop', '--all', '--code', CODES[1]!, '--yes', ...args])
    expect([dropped.code, dropped.text]).toEqual([0, '3333 dead letters dropped\n'])
    const isLeft = (at: number) => at % 3 !== 1
    expect(ids(await listed(yaml, ...args))).toEqual(numbered(10_000, isLeft))
    const some = await dlq(yaml, ['replay', '--all', '--limit', '150', ...args])
    expect([some.code, some.text]).toEqual([0, '150 dead letters sent again\n'])
    const rest = await dlq(yaml, ['replay', '--all', ...args])
    expect([rest.code, rest.text]).toEqual([0, '6517 dead letters sent again\n'])
    const sent = await emptied(channel, OWN)
    expect(sent.map(idOf)).toEqual(numbered(10_000, isLeft))
    expect((await channel.checkQueue(DEAD)).messageCount).toBe(0)
    const { content, properties } = sent[0]!
    expect(content.toString()).toBe('body 0 '.padEnd(20, '.'))
    expect(properties).toMatchObject({ deliveryMode: 2, timestamp: Date.parse('2026-01-02T03:04:05Z') / 1000 })
    const { 'x-delivery-count': _count, ...headers } = properties.headers ?? {}
    expect(headers).toEqual({ theirs: 'x0', 'patchbay-id': 'm0', 'patchbay-address': JSON.stringify(CALL_STATE) })
  })

  test('letters that are read stay in their order for whoever consumes them', async () => {
    const { url, channel } = await newVhost()
    const yaml = configuration(url, NOBODY)
    await declare(channel, DEAD)
    await makeLetters(channel, 300)
    await dlq(yaml, ['ls', '--link', 'legacy'])
    await dlq(yaml, ['ls', '--link', 'legacy', '--limit', '7'])
    await dlq(yaml, ['show', 'm200', '--link', 'legacy'])
    await dlq(yaml, ['drop', 'm100', 'm299', '--link', 'legacy'])
    expect((await emptied(channel, DEAD)).map(idOf)).toEqual(numbered(300, (at) => at !== 100 && at !== 299))
  })

  test('letters of more bytes than are held in memory are sent again in their order', async () => {
    const { url, channel } = await newVhost()
    await declare(channel, DEAD, OWN)
    await makeLetters(channel, 40, { size: 1_000_000 })
    const replayed = await dlq(configuration(url, NOBODY), ['replay', '--all', '--link', 'legacy'])
    expect([replayed.code, replayed.text]).toEqual([0, '40 dead letters sent again\n'])
    const sent = await emptied(channel, OWN)
    expect(sent.map(idOf)).toEqual(numbered(40))
    expect(sent.every(({ content }) => content.length === 1_000_000)).toBe(true)
  })

  test('a connection that breaks while letters are sent again loses none', async () => {
    const { url, channel } = await newVhost()
    const proxy = await startFaultProxy(Number(new URL(url).port))
    onTestFinished(() => proxy.close())
    await declare(channel, DEAD, OWN)
    await makeLetters(channel, 400, { size: 10_000 })
    proxy.faults.bytesPerSecond = 4_000_000
    const running = dlq(configuration(proxy.through(url), NOBODY), ['replay', '--all', '--link', 'legacy'])
    await expect.poll(async () => (await channel.checkQueue(OWN)).messageCount, { interval: 2 }).toBeGreaterThan(0)
    proxy.cut()
    const { code, err } = await running
    expect(code).toBe(1)
    expect(err.join('\n')).toMatch(/legacy, queue patchbay\.dead-letters: .*connection lost/)
    await expect.poll(async () => (await channel.checkQueue(DEAD)).messageCount).toBeGreaterThan(0)
    const found = [...(await emptied(channel, OWN)), ...(await emptied(channel, DEAD))].map(idOf)
    expect(new Set(found)).toEqual(new Set(numbered(400)))
  })

  test('what cannot be sent again stays, with the reason', async () => {
    const { url, channel } = await newVhost()
    const pbx = `  pbx: { type: ari, dialect: stasis, url: 'http://127.0.0.1:9', app: patchbay, username: u, password: p }`
    const yaml = configuration(url, NOBODY, { links: pbx, routes: '  - { from: pbx, to: bus }' })
    await declare(channel, DEAD, OWN)
    await makeLetters(channel, 5, { link: 'pbx' })
    await makeLetters(channel, 1, { link: 'elsewhere' })
    const { code, text, err } = await dlq(yaml, ['replay', '--all'])
    expect([code, text]).toEqual([1, '0 dead letters sent again\n'])
    expect(err).toContainEqual(
      expect.stringMatching(/^error: m0, m1, m2 and 2 more not sent again: pbx is a link to an Asterisk/),
    )
    expect(err).toContainEqual('error: m0 not sent again: this configuration has no link elsewhere')
    expect((await channel.checkQueue(DEAD)).messageCount).toBe(6)
  })

  test('a queue that is missing is named: that of the letters, and that of the gateway', async () => {
    const { url, channel } = await newVhost()
    const yaml = configuration(url, NOBODY)
    const none = await dlq(yaml, ['ls', '--link', 'legacy'])
    expect([none.code, none.err]).toEqual([1, [expect.stringContaining(`there is no queue "${DEAD}"`)]])
    await declare(channel, DEAD)
    await makeLetters(channel, 2)
    const { code, err } = await dlq(yaml, ['replay', '--all', '--link', 'legacy'])
    expect([code, err]).toEqual([1, [expect.stringContaining(`there is no queue "${OWN}"`)]])
    expect((await channel.checkQueue(DEAD)).messageCount).toBe(2)
  })

  test.each([
    { answer: 'yes\n', code: 0, out: '3 dead letters dropped\n', left: 6 },
    { answer: 'no\n', code: 1, out: '', left: 9 },
    { answer: '', code: 1, out: '', left: 9 },
  ])('on a terminal --all asks before it drops: $answer', async ({ answer, code, out, left }) => {
    const { url, channel } = await newVhost()
    await declare(channel, DEAD)
    await makeLetters(channel, 9)
    const written: string[] = []
    const asked: string[] = []
    const terminal = Object.assign(Readable.from([Buffer.from(answer)]), { isTTY: true })
    const io: Io = {
      stdin: terminal,
      env: {},
      out: async (chunk) => void written.push(chunk.toString()),
      err: (line) => void asked.push(line),
    }
    const file = configurationFile(configuration(url, NOBODY))
    const args = ['dlq', 'drop', '--all', '--code', CODES[0]!, '--link', 'legacy', '-c', file]
    expect([await runCli(args, io), written.join('')]).toEqual([code, out])
    expect(asked[0]).toBe(`Take away all dead letters with code ${CODES[0]} of link legacy for good? Type yes:`)
    expect((await channel.checkQueue(DEAD)).messageCount).toBe(left)
  })

  test('an id that nobody has is told, and the others are taken', async () => {
    const { url, channel } = await newVhost()
    const yaml = configuration(url, NOBODY)
    await declare(channel, DEAD)
    await makeLetters(channel, 2)
    const shown = await dlq(yaml, ['show', 'm9', '--link', 'legacy'])
    expect([shown.code, shown.text, shown.err]).toEqual([1, '', ['error: no dead letter m9 was found']])
    const dropped = await dlq(yaml, ['drop', 'm9', 'm1', '--link', 'legacy'])
    expect([dropped.code, dropped.text]).toEqual([1, '1 dead letter dropped\n'])
    expect(dropped.err).toEqual(['error: no dead letter m9 was found'])
    expect(ids(await listed(yaml, '--link', 'legacy'))).toEqual(['m0'])
  })

  test('what a stranger put into a letter does not reach the terminal as it is', async () => {
    const { url, channel } = await newVhost()
    await declare(channel, DEAD)
    const headers = { 'patchbay-id': 'm\u001b[2J', 'patchbay-error': 'a\u202eb', 'x-list': '\u0007' }
    channel.publish('', DEAD, Buffer.from('\u001b[31mred'), { headers })
    await channel.waitForConfirms()
    const yaml = configuration(url, NOBODY)
    const list = await dlq(yaml, ['ls', '--link', 'nobody'])
    expect(list.text).toBe('0 dead letters\n')
    const all = await dlq(yaml, ['ls'])
    expect(all.text).toContain('m\\u{1b}[2J')
    expect(all.text).toContain('a\\u{202e}b')
    const page = await dlq(yaml, ['show', 'm\u001b[2J'])
    expect(page.text).toContain('5  1b 5b 33 31 6d 72 65 64'.slice(3))
    expect(page.text).not.toMatch(/[\u001b\u0007\u202e]/)
  })
})

describe('letters of a NATS link', () => {
  let nats: TestNats
  beforeAll(async () => {
    nats = await startNats()
  })
  afterAll(() => nats.stop())

  const rpc = (uuid: string, state: string) =>
    JSON.stringify({
      jsonrpc: '2.0',
      method: 'Event.Channel',
      params: { node_uuid: 'edge', uuid, state, cid_number: '1', dest_number: '2' },
    })

  async function withoutStreams() {
    const bus = await xccSide(nats.url)
    const manager = await jetstreamManager(bus.nc)
    onTestFinished(async () => {
      for await (const { config } of manager.streams.list()) await manager.streams.delete(config.name)
      await bus.close()
    })
    return { bus, manager }
  }

  test('are in the stream of the link, and are sent again to the subject they came by', async () => {
    const { bus, manager } = await withoutStreams()
    const { url } = await newVhost()
    const stream = ', deliver: jetstream, stream: { duplicateWindowMs: 100 }'
    const routes = '  - { from: bus, to: legacy }'
    const yaml = configuration(url, nats.url, { bus: stream, routes })
    const gateway = await startGateway(
      configuration(url, nats.url, { bus: stream, routes, top: 'limits: { bytes: 100 }' }),
    )
    const legacy = await legacySide(url)
    onTestFinished(() => legacy.close())
    for (const state of ['START', 'ANSWERED']) await bus.publish(BUS, rpc('c-1', state), { theirs: state })
    await bus.publish(BUS, '{"jsonrpc":')
    await expect.poll(async () => (await listed(yaml, '--link', 'bus')).length).toBe(3)
    const letters = await listed(yaml, '--link', 'bus')
    expect(letters.map(({ code }) => code)).toEqual(['codec.limit', 'codec.limit', 'codec.malformed'])
    const page = await dlq(yaml, ['show', letters[0]!.id, '--link', 'bus'])
    expect(page.text).toMatch(/^address +subject=cn\.xswitch\.ctrl$/m)
    expect(page.text).toContain(rpc('c-1', 'START'))
    await gateway.stop()

    const again = await startGateway(yaml)
    onTestFinished(() => again.stop())
    bus.seen.length = 0
    const replayed = await dlq(yaml, ['replay', '--all', '--code', 'codec.limit', '--link', 'bus'])
    expect([replayed.code, replayed.text, replayed.err]).toEqual([0, '2 dead letters sent again\n', []])
    const heard = bus.seen.filter(({ at }) => at === BUS)
    expect(heard.map(({ body }) => body.toString())).toEqual([rpc('c-1', 'START'), rpc('c-1', 'ANSWERED')])
    expect(heard.map(({ headers: { 'Nats-Msg-Id': _name, ...rest } }) => rest)).toEqual([
      { theirs: 'START', 'patchbay-id': letters[0]!.id },
      { theirs: 'ANSWERED', 'patchbay-id': letters[1]!.id },
    ])
    await until(() => legacy.seen.some(({ body }) => body.includes('c-1')))
    expect(ids(await listed(yaml, '--link', 'bus'))).toEqual([letters[2]!.id])

    const dropped = await dlq(yaml, ['drop', letters[2]!.id, '--link', 'bus'])
    expect([dropped.code, dropped.text]).toEqual([0, '1 dead letter dropped\n'])
    const { state } = await manager.streams.info('PATCHBAY', { subjects_filter: DEAD })
    expect(state.subjects?.[DEAD]).toBeUndefined()
  })

  async function store(count: number, subject = DEAD): Promise<void> {
    const { bus, manager } = await withoutStreams()
    await manager.streams.add({ name: 'OWN', subjects: [subject, 'other'] })
    const client = jetstream(bus.nc)
    for (let from = 0; from < count; from += 500) {
      const part = Array.from({ length: Math.min(500, count - from) }, (_, at) => from + at)
      await Promise.all(
        part.map((at) => {
          const headers = natsHeaders()
          headers.set('patchbay-id', `m${at}`)
          headers.set('patchbay-link', 'bus')
          headers.set('patchbay-error-code', CODES[at % CODES.length]!)
          headers.set('patchbay-address', JSON.stringify({ subject: BUS }))
          return client.publish(subject, `body ${at}`, { headers })
        }),
      )
      await client.publish('other', 'between them')
    }
  }

  test('are found in a stream of somebody else, thousands of them, in order', async () => {
    await store(3000)
    const yaml = configuration('amqp://u:p@127.0.0.1:9', nats.url, { routes: '  - { from: bus, to: legacy }' })
    const args = ['--link', 'bus']
    const wanted = numbered(3000)
    expect(new Set(ids(await listed(yaml, ...args)))).toEqual(new Set(wanted))
    const order = ids(await listed(yaml, ...args))
    const dropped = await dlq(yaml, ['drop', '--all', '--code', CODES[0]!, '--yes', ...args])
    expect([dropped.code, dropped.text]).toEqual([0, '1000 dead letters dropped\n'])
    const bus = await xccSide(nats.url)
    onTestFinished(() => bus.close())
    const replayed = await dlq(yaml, ['replay', '--all', ...args])
    expect([replayed.code, replayed.text]).toEqual([0, '2000 dead letters sent again\n'])
    await until(() => bus.seen.length >= 2000)
    expect(bus.seen.map(({ headers }) => headers['patchbay-id'])).toEqual(
      order.filter((id) => Number(id.slice(1)) % 3 !== 0),
    )
    expect(await listed(yaml, ...args)).toEqual([])
  })

  test('wait while a stream would take their successors for copies of them', async () => {
    const { bus, manager } = await withoutStreams()
    await manager.streams.add({ name: 'OWN', subjects: [DEAD] })
    const headers = natsHeaders()
    for (const [name, value] of Object.entries({ 'patchbay-id': 'm1', 'patchbay-link': 'bus', 'Nats-Msg-Id': 'm1' })) {
      headers.set(name, value)
    }
    await jetstream(bus.nc).publish(DEAD, 'body', { headers })
    const yaml = configuration('amqp://u:p@127.0.0.1:9', nats.url, { routes: '  - { from: bus, to: legacy }' })
    const { code, err } = await dlq(yaml, ['replay', 'm1', '--link', 'bus'])
    expect([code, err]).toEqual([
      1,
      [expect.stringMatching(/^error: m1 not sent again: should it fail again before 20/)],
    ])
    expect(ids(await listed(yaml, '--link', 'bus'))).toEqual(['m1'])
  })

  test('are kept by nobody without a stream, and the operator is told', async () => {
    await withoutStreams()
    const { code, text, err } = await dlq(configuration('amqp://u:p@127.0.0.1:9', nats.url), ['ls', '--link', 'bus'])
    expect([code, text]).toEqual([0, '0 dead letters\n'])
    expect(err).toEqual([expect.stringMatching(/^bus, subject patchbay\.dead-letters: .*kept by nobody/)])
  })
})

describe('wrong use and what is out of reach', () => {
  const unreachable = configuration('amqp://user:s3cret@127.0.0.1:9/v', NOBODY)

  test('brokers that cannot be reached are named, each by itself and without its password', async () => {
    const { code, text, err } = await dlq(unreachable, ['ls'])
    expect([code, text]).toEqual([1, '0 dead letters\n'])
    expect(err).toEqual([
      expect.stringMatching(/^error: legacy, .*cannot open amqp:\/\/127\.0\.0\.1:9\/v/),
      expect.stringMatching(/^error: bus, .*cannot open nats:\/\/127\.0\.0\.1:9/),
    ])
    expect(err.join()).not.toContain('s3cret')
  })

  test.each([
    [['replay'], 'want either IDs or --all'],
    [['replay', 'm1', '--all'], 'want either IDs or --all'],
    [['drop', '--all'], '--all wants --yes'],
    [['ls', '--limit', '0'], 'want a whole number from 1 on'],
    [['show'], "missing required argument 'ID'"],
    [['mend'], "unknown command 'mend'"],
  ])('%j is wrong use', async (args, wanted) => {
    const { code, text, err } = await dlq(unreachable, args)
    expect([code, text]).toEqual([2, ''])
    expect(err.join('\n')).toContain(wanted)
  })

  test('a faulty configuration is told with its place', async () => {
    const { code, text, err } = await dlq(unreachable.replace('dialect: xcc', 'dialekt: xcc'), ['ls'])
    expect([code, text]).toEqual([1, ''])
    expect(err[0]).toMatch(/patchbay\.yaml:\d+:\d+: config\.unknown-key: /)
  })
})
