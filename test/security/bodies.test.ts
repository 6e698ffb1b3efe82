import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { freshVhost, startNats, type TestNats } from '../harness/index.js'
import { type LegacySide, legacySide, startGateway, until, type XccSide, xccSide } from '../integration/site.js'

/** What a caller would not want to read in a log. */
const MARKER = 'Zaphod-Beeblebrox'
const NUMBER = '4711471147'

const YAML: readonly (string | Buffer)[] = [
  `--- {a: [${MARKER}, \n`,
  `--- ${MARKER}\n`,
  `---\nk: "${MARKER}\n`,
  `--- *${MARKER}\n`,
  `--- !float ${MARKER}\n`,
  `--- !ruby/object:Channel_states\nis_sync: false\nevts:\n- ${MARKER}\n`,
  `--- !ruby/object:Channel_states\nis_sync: false\nevts: ${MARKER}\n`,
  `--- !ruby/object:Channel_states\nis_sync: false\nevts: ${NUMBER}\n`,
  `--- !ruby/object:Channel_states\nis_sync: false\nevts:\n- ${MARKER}: ${NUMBER}\n`,
  Buffer.concat([Buffer.from(`--- ${MARKER} `), Buffer.from([0xc3, 0x28])]),
]
const rpc = (params: unknown) => JSON.stringify({ jsonrpc: '2.0', method: 'Event.Channel', params })
const JSONS: readonly string[] = [
  MARKER,
  `{"jsonrpc":"2.0","method":"Event.Channel","params":{"uuid":"${MARKER}"`,
  `{"jsonrpc":"${MARKER}","method":"Event.Channel"}`,
  `"${MARKER}"`,
  JSON.stringify({ jsonrpc: '2.0', method: { [MARKER]: MARKER } }),
  JSON.stringify({ jsonrpc: '2.0', method: 'Event.Channel', params: MARKER }),
  rpc({ cid_name: MARKER }),
  rpc({ uuid: Number(NUMBER), cid_name: MARKER }),
]

let nats: TestNats
let legacy: LegacySide
let bus: XccSide
let amqpUrl: string

beforeAll(async () => {
  amqpUrl = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  nats = await startNats()
  legacy = await legacySide(amqpUrl)
  bus = await xccSide(nats.url, '>')
})
afterAll(async () => {
  await bus.close()
  await legacy.close()
  await nats.stop()
})

test.each(['json', 'text'])('no log above debug quotes a message that cannot be read: %s', async (format) => {
  bus.seen.length = 0
  const gateway = await startGateway(`
group: gw
log: { level: info, format: ${format} }
sync: { publisher: none }
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}', queue: { type: classic } }
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'] }
routes:
  - { from: legacy, to: bus }
  - { from: bus, to: legacy }
`)
  for (const body of YAML) await legacy.publish('voice_events', 'channel.call_state', body)
  for (const body of JSONS) await bus.publish('cn.xswitch.ctrl', body)
  const buried = () => gateway.lines.filter((line) => line.includes('message put aside as a dead letter')).length
  await until(
    () => buried() === YAML.length + JSONS.length,
    () => gateway.lines.join(''),
  ).finally(gateway.stop)
  const told = gateway.lines.join('')
  expect(told).not.toContain(MARKER)
  expect(told).not.toContain(NUMBER)
  // The letter itself has it all: who may read it, may read the message.
  const letters = bus.seen.filter(({ at }) => at.includes('dead-letters'))
  expect(letters.filter(({ headers }) => headers['patchbay-error']?.includes(MARKER))).not.toEqual([])
})
