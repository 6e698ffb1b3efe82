import { connect } from '@nats-io/transport-node'
import { expect, test } from 'vitest'
import { byEntity, listen } from './controller.js'
import { CALL_STATES, callState } from './legacy-load.js'
import type { LegacyMessage } from './legacy-publisher.js'
import { configuration, DEAD_LETTERS, emptyQueue, openSite, publishAll, startGateway, until } from './site.js'

const CALLS = 1000
const STATES = CALL_STATES.filter((state) => state !== 'HELD')
const LIMIT_BYTES = 50_000

const CALL_STATE = { exchange: 'voice_events', key: 'channel.call_state' }

const good = (at: number) => String(callState(`bad-${at}`, 'RINGING').body)
const binary = (at: number) => Buffer.from(Array.from({ length: 64 }, (_, byte) => (byte * 31 + at * 7 + 128) % 256))

interface Kind {
  readonly name: string
  readonly code: string
  readonly count: number
  readonly exchange?: string
  body(at: number): string | Uint8Array
}

const KINDS: readonly Kind[] = [
  { name: 'broken YAML', code: 'codec.malformed', count: 50, body: (at) => `--- {a: [${at}, \n` },
  {
    name: 'a class nobody let in',
    code: 'codec.tag',
    count: 50,
    body: (at) => good(at).replace('Channel_states', 'Gem::Installer'),
  },
  {
    name: 'the class of another message',
    code: 'mapping.message',
    count: 50,
    body: (at) => good(at).replace('Channel_states', 'TerminalDialno'),
  },
  {
    name: 'no uuid',
    code: 'mapping.required',
    count: 50,
    body: (at) => good(at).replace(/- uuid: (.*)\n {2}/, (_line, uuid) => `- other: ${uuid}\n  `),
  },
  { name: 'binary garbage', code: 'codec.encoding', count: 50, body: binary },
  {
    name: 'invalid UTF-8',
    code: 'codec.encoding',
    count: 50,
    body: (at) => Buffer.concat([Buffer.from(`---\nname${at}: "`), Buffer.from([0xc3, 0x28]), Buffer.from('"\n')]),
  },
  {
    name: 'deep nesting',
    code: 'codec.limit',
    count: 50,
    body: (at) => `--- ${'['.repeat(5000)}${at}${']'.repeat(5000)}\n`,
  },
  {
    name: 'a huge body',
    code: 'codec.limit',
    count: 50,
    body: (at) => `---\nis_sync: false\nnote: ${'x'.repeat(LIMIT_BYTES + at)}\n`,
  },
  { name: 'nothing at all', code: 'mapping.message', count: 50, body: () => '' },
  {
    name: 'events that are no mappings',
    code: 'mapping.message',
    count: 25,
    body: (at) => `--- !ruby/object:Channel_states\nis_sync: false\nevts:\n- ${at}\n- just text\n`,
  },
  {
    name: 'a word nobody knows',
    code: 'mapping.message',
    count: 25,
    exchange: 'voice_sync_events',
    body: (at) => `--- terminal.no_such_word_${at}\n`,
  },
]

const addressOf = ({ exchange }: Kind) => (exchange === undefined ? CALL_STATE : { exchange, key: '' })

test('500 malformed messages among 5,000 good ones: the good are translated, the bad put aside with their bytes and the reason', async () => {
  const { amqpUrl, nats, legacy } = await openSite()
  const gateway = await startGateway(configuration(amqpUrl, nats.url, { top: `limits: { bytes: ${LIMIT_BYTES} }` }))
  await gateway.untilReady()
  const controller = await listen(nats.url)
  const bad = KINDS.flatMap((kind) =>
    Array.from({ length: kind.count }, (_, at) => ({ kind, body: Buffer.from(kind.body(at)) })),
  )
  const messages: LegacyMessage[] = []
  for (const [turn, state] of STATES.entries()) {
    for (let call = 0; call < CALLS; call++) {
      messages.push(callState(`call-${call}`, state))
      const at = turn * CALLS + call
      const one = at % 10 === 0 ? bad[at / 10] : undefined
      if (one !== undefined) messages.push({ ...addressOf(one.kind), body: one.body })
    }
  }
  expect(messages).toHaveLength(5500)
  await publishAll(legacy, messages)
  const ends = () => controller.heard.filter(({ word }) => word === 'DESTROY').length
  await until(() => ends() === CALLS)
  const settled = async () => (await gateway.metric('gateway_in_flight_messages', { link: 'legacy' })) === 0
  await until(settled)
  const said = byEntity(controller.heard)
  expect(said.size).toBe(CALLS)
  for (const words of said.values()) expect(words).toEqual(['START', 'MEDIA', 'RINGING', 'ANSWERED', 'CDR', 'DESTROY'])

  const letters = await emptyQueue(legacy, DEAD_LETTERS)
  const found = letters.map(({ content, properties: { headers = {} } }) => {
    const { exchange, key } = JSON.parse(String(headers['patchbay-address'])) as Record<string, string>
    return `${exchange} ${key} ${headers['patchbay-error-code']} ${content.toString('base64')}`
  })
  const wanted = bad.map(({ kind, body }) => {
    const { exchange, key } = addressOf(kind)
    return `${exchange} ${key} ${kind.code} ${body.toString('base64')}`
  })
  expect(found.sort()).toEqual(wanted.sort())
  for (const { headers = {} } of letters.map(({ properties }) => properties)) {
    expect(headers['patchbay-error']).toMatch(/\w/)
    expect(Date.parse(String(headers['patchbay-dead-at']))).toBeGreaterThan(0)
  }
  const link = { link: 'legacy' }
  const counts = {
    taken:
      (await gateway.metric('gateway_taken_messages_total', link)) -
      (await gateway.metric('gateway_looped_messages_total', link)),
    dead: await gateway.metric('gateway_dead_letter_messages_total', link),
    dropped: await gateway.metric('gateway_dropped_messages_total', link),
    sent: await gateway.metric('gateway_sent_messages_total'),
  }
  expect(counts).toEqual({ taken: 5500, dead: 500, dropped: 0, sent: 6 * CALLS })
  for (const code of new Set(KINDS.map((kind) => kind.code))) {
    const dead = await gateway.metric('gateway_dead_letter_messages_total', { ...link, code })
    expect(dead, code).toBe(bad.filter(({ kind }) => kind.code === code).length)
  }
  expect(gateway.isRunning()).toBe(true)
  expect(await gateway.status('/livez')).toBe(200)
  await controller.close()
})

const rpc = (message: object) => JSON.stringify({ jsonrpc: '2.0', ...message })
const channelEvent = (uuid: string, state: string) =>
  rpc({ method: 'Event.Channel', params: { node_uuid: 'edge', uuid, state, cid_number: '1', dest_number: '2' } })

/** What passes on a bus beside calls, and under which kind it is counted. */
const PASSED_OVER = [
  { kind: 'result', body: rpc({ id: '1', result: { code: 200 } }) },
  { kind: 'controller-request', body: rpc({ id: '2', method: 'XCtrl.FetchXML', params: {} }) },
  { kind: 'node-request', body: rpc({ id: '3', method: 'XNode.Answer', params: {} }) },
  { kind: 'other-request', body: rpc({ id: '4', method: 'Other.Thing', params: {} }) },
  { kind: 'unknown-event', body: rpc({ method: 'Event.NoSuchThing', params: {} }) },
]

/** What is at fault, and the rule that says so where one was found for the message. */
const AT_FAULT = [
  { code: 'codec.malformed', rule: '', body: '{"jsonrpc":"2.0",' },
  { code: 'codec.malformed', rule: '', body: 'no JSON at all' },
  { code: 'codec.encoding', rule: '', body: Buffer.from([0x22, 0xff, 0xfe, 0x22]) },
  {
    code: 'mapping.required',
    rule: 'xcc/channel',
    body: rpc({ method: 'Event.Channel', params: { node_uuid: 'edge', state: 'START' } }),
  },
]

test('on a bus only what is at fault is put aside; results, requests and unknown events are counted', async () => {
  const { amqpUrl, nats, legacy } = await openSite()
  const gateway = await startGateway(
    configuration(amqpUrl, nats.url, { routes: '  - { from: bus, to: legacy }', bus: 'deliver: jetstream' }),
  )
  await gateway.untilReady()
  const { queue } = await legacy.assertQueue('', { exclusive: true })
  await legacy.bindQueue(queue, 'voice_events', 'channel.call_state')
  const bus = await connect({ servers: nats.url })
  const letters: string[] = []
  bus.subscribe('patchbay.dead-letters', {
    callback: (_error, { data, headers }) =>
      void letters.push(
        `${headers?.get('patchbay-error-code')} ${headers?.get('patchbay-rule')} ${Buffer.from(data).toString('base64')}`,
      ),
  })
  for (let at = 0; at < 100; at++) {
    for (const { body } of [...PASSED_OVER, ...AT_FAULT]) bus.publish('cn.xswitch.ctrl', body)
    for (const state of ['START', 'ANSWERED', 'DESTROY']) bus.publish('cn.xswitch.ctrl', channelEvent(`c-${at}`, state))
  }
  await bus.flush()
  await until(() => letters.length >= 100 * AT_FAULT.length)
  await until(async () => (await legacy.checkQueue(queue)).messageCount >= 300)
  const wanted = AT_FAULT.map(({ code, rule, body }) => `${code} ${rule} ${Buffer.from(body).toString('base64')}`)
  expect(letters.sort()).toEqual(wanted.flatMap((letter) => Array<string>(100).fill(letter)).sort())
  expect((await emptyQueue(legacy, queue)).length).toBe(300)
  const link = { link: 'bus' }
  for (const { kind } of PASSED_OVER) {
    expect(await gateway.metric('gateway_ignored_messages_total', { ...link, kind }), kind).toBe(100)
  }
  expect(await gateway.metric('gateway_dead_letter_messages_total', link)).toBe(400)
  expect(await gateway.metric('gateway_taken_messages_total', link)).toBe(1200)
  expect(await gateway.metric('gateway_sent_messages_total')).toBe(300)
  expect(await gateway.status('/livez')).toBe(200)
  await bus.close()
})
