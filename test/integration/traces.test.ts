import { readFileSync } from 'node:fs'
import { headers as natsHeaders } from '@nats-io/nats-core'
import type { ConsumeMessage } from 'amqplib'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { type GatewayProcess, runGateway } from '../faults/gateway-process.js'
import { freshVhost, startNats, type TestNats } from '../harness/index.js'
import { type CollectedSpan, type OtlpCollector, startOtlpCollector } from '../telemetry/otlp-collector.js'
import { bothWays, type LegacySide, legacySide, type Seen, type XccSide, xccSide } from './site.js'

const CALL = readFileSync(new URL('../fixtures/voice-events/seed-channel-call-state.yaml', import.meta.url))
const UUID = '65da6180-877b-4378-a0bc-161f969fe643'
/** Kinds of spans, as OTLP counts them. */
const [SERVER, PRODUCER, CONSUMER] = [2, 4, 5]
const ERROR = 2

let nats: TestNats
let collector: OtlpCollector
let legacy: LegacySide
let bus: XccSide
let amqpUrl: string
/** Whatever gateways wrote in these tests. */
const written: string[] = []

/** A trace of our own, by a last digit that tells it from others. */
function traced(digit: string) {
  const traceId = digit.repeat(32)
  const spanId = digit.repeat(16)
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` }
}

function publish(body: Buffer | string, headers: Record<string, string>): void {
  legacy.channel.publish('voice_events', 'channel.call_state', Buffer.from(body), { headers })
}

const spansOf = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId)
const named = (spans: readonly CollectedSpan[], name: string) => spans.filter((span) => span.name === name)
const callStates = () => bus.seen.filter(({ at }) => at === 'cn.xswitch.ctrl')
const contextIn = ({ headers }: Seen) => {
  const [, traceId, spanId] = headers.traceparent!.split('-')
  return { traceId, spanId }
}

async function running(more: string): Promise<GatewayProcess> {
  const gateway = await runGateway(bothWays('gw', amqpUrl, nats.url, { extra: `sync: { waitMs: 100 }\n${more}` }))
  await gateway.untilReady()
  return gateway
}

async function ended(gateway: GatewayProcess): Promise<void> {
  gateway.signal('SIGTERM')
  expect((await gateway.ended).code).toBe(0)
  written.push(...gateway.lines)
  await gateway.remove()
}

beforeAll(async () => {
  amqpUrl = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  nats = await startNats()
  collector = await startOtlpCollector()
  legacy = await legacySide(amqpUrl)
  bus = await xccSide(nats.url)
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
  vi.stubEnv('OTEL_EXPORTER_OTLP_PROTOCOL', 'http/json')
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment.name=test')
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '50')
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await bus.close()
  await legacy.close()
  await collector.stop()
  await nats.stop()
})

test('tracing is off unless it is asked for: nobody connects to the collector, and contexts go on unchanged', async () => {
  const gateway = await running('')
  const { traceparent } = traced('a')
  publish(CALL, { traceparent, tracestate: 'vendor=1' })
  await expect.poll(callStates).not.toHaveLength(0)
  for (const { headers } of callStates()) expect(headers).toMatchObject({ traceparent, tracestate: 'vendor=1' })
  await ended(gateway)
  expect(collector.connections()).toBe(0)
  expect(written.join('\n')).not.toContain('trace_id')
})

describe('with tracing', () => {
  let gateway: GatewayProcess

  beforeAll(async () => {
    gateway = await running('traces: { enabled: true }')
  })

  afterAll(async () => {
    await ended(gateway)
    const own = collector.spans.flatMap(({ attributes, status }) => [...Object.values(attributes), status.message])
    expect(own.length).toBeGreaterThan(50)
    // Whom the call of the sample is between.
    for (const number of ['0008', '1004']) expect(own).not.toContain(number)
    expect(new Set(collector.resources.map((each) => each['service.name']))).toEqual(new Set(['patchbay']))
    expect(collector.resources[0]).toMatchObject({ 'deployment.environment.name': 'test', 'patchbay.group': 'gw' })
  })

  test('a legacy message becomes spans of its trace, a stage each, and so do those who hear of it', async () => {
    const { traceId, spanId, traceparent } = traced('b')
    bus.seen.length = 0
    publish(CALL, { traceparent, tracestate: 'vendor=1' })
    await expect.poll(() => named(spansOf(traceId), 'send bus')).not.toHaveLength(0)
    await expect.poll(() => named(spansOf(traceId), 'receive legacy')).toHaveLength(1)
    const spans = spansOf(traceId)
    const [receive] = named(spans, 'receive legacy')
    expect(receive).toMatchObject({
      kind: CONSUMER,
      parentSpanId: spanId,
      attributes: {
        'messaging.system': 'rabbitmq',
        'messaging.destination.name': 'voice_events:channel.call_state',
        'patchbay.link': 'legacy',
        'patchbay.rule': 'voice-events/channel-states',
        'patchbay.channel': UUID,
      },
    })
    const stages = ['read', 'decide', 'write legacy-to-bus'].map((name) => named(spans, name))
    expect(stages.map((found) => found.map((span) => span.parentSpanId))).toEqual(stages.map(() => [receive!.spanId]))
    const [write] = stages[2]!
    const [send] = named(spans, 'send bus')
    expect(send).toMatchObject({
      kind: PRODUCER,
      parentSpanId: write!.spanId,
      attributes: { 'messaging.system': 'nats', 'patchbay.route': 'legacy-to-bus' },
    })
    const inOrder = [receive!, ...stages.flat(), send!]
    expect(inOrder.map(({ start }) => start)).toEqual(inOrder.map(({ start }) => start).sort((a, b) => Number(a - b)))
    for (const { end } of inOrder) expect(Number(end)).toBeLessThanOrEqual(Number(receive!.end))
    expect(spans.filter(({ status }) => status.code === ERROR)).toEqual([])
    expect(callStates().length).toBeGreaterThan(0)
    for (const seen of callStates()) {
      expect(contextIn(seen)).toEqual({ traceId, spanId: send!.spanId })
      expect(seen.headers.tracestate).toBe('vendor=1')
    }
  })

  test('a message that comes without a trace begins one', async () => {
    bus.seen.length = 0
    publish(CALL.toString().replaceAll(UUID, 'rootless'), {})
    await expect.poll(callStates).not.toHaveLength(0)
    const { traceId } = contextIn(callStates()[0]!)
    await expect.poll(() => named(spansOf(traceId!), 'receive legacy')).toHaveLength(1)
    expect(named(spansOf(traceId!), 'receive legacy')[0]!.parentSpanId ?? '').toBe('')
  })

  test('a dead letter is a span that failed, by its code; the letter and the log name its trace', async () => {
    const { traceId, traceparent } = traced('c')
    const dead: Record<string, unknown>[] = []
    const take = (message: ConsumeMessage | null) => void dead.push(message?.properties.headers ?? {})
    await legacy.channel.consume('patchbay.dead-letters', take, { noAck: true })
    publish('--- [0008', { traceparent })
    await expect.poll(() => named(spansOf(traceId), 'receive legacy')).toHaveLength(1)
    const spans = spansOf(traceId)
    const [receive] = named(spans, 'receive legacy')
    const failed = {
      status: { code: ERROR, message: 'codec.malformed' },
      attributes: { 'error.type': 'codec.malformed' },
    }
    expect(receive).toMatchObject(failed)
    expect(named(spans, 'read')).toMatchObject([failed])
    await expect.poll(() => dead).toHaveLength(1)
    const [send] = named(spans, 'send legacy')
    expect(send).toMatchObject({ kind: PRODUCER, parentSpanId: receive!.spanId })
    expect(dead[0]!.traceparent).toBe(`00-${traceId}-${send!.spanId}-01`)
    const lines = gateway.lines.filter((line) => line.includes('put aside')).map((line) => JSON.parse(line) as object)
    expect(lines).toMatchObject([{ link: 'legacy', trace_id: traceId, span_id: receive!.spanId }])
  })

  test('a context that comes by NATS under another case goes on to the legacy side', async () => {
    const { traceId, traceparent } = traced('d')
    const params = { node_uuid: 'edge-1', uuid: 'x1', direction: 'inbound', state: 'START', cid_number: '1001' }
    const event = { jsonrpc: '2.0', method: 'Event.Channel', params }
    await bus.publish('cn.xswitch.ctrl', event, { Traceparent: traceparent })
    const got = () => legacy.seen.filter(({ headers }) => headers.traceparent?.includes(traceId))
    await expect.poll(got).toHaveLength(1)
    expect(got()[0]!.headers).not.toHaveProperty('Traceparent')
    await expect.poll(() => named(spansOf(traceId), 'receive bus')).toHaveLength(1)
  })

  test('a malformed context is none', async () => {
    bus.seen.length = 0
    publish(CALL.toString().replaceAll(UUID, 'malformed'), { traceparent: '00-short-01' })
    await expect.poll(callStates).not.toHaveLength(0)
    expect(callStates()[0]!.headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  })

  test('a command is a span of whoever was asked, with its method and the code it was answered with', async () => {
    const { traceId, spanId, traceparent } = traced('e')
    const ask = (method: string, params: object) => {
      const headers = natsHeaders()
      headers.set('traceparent', traceparent)
      const body = JSON.stringify({ jsonrpc: '2.0', id: '1', method, params })
      return bus.nc.request('cn.xswitch.node.gw', body, { timeout: 3000, headers })
    }
    await ask('XNode.GetState', { ctrl_uuid: 'c1', uuid: 'rootless' })
    await ask('XNode.Answer', { ctrl_uuid: 'c1', uuid: 'rootless' })
    await ask('Made.Up.By.Somebody', {})
    await expect.poll(() => spansOf(traceId)).toHaveLength(3)
    const shared = { kind: SERVER, parentSpanId: spanId }
    expect(spansOf(traceId)).toMatchObject([
      { ...shared, name: 'XNode.GetState', attributes: { 'patchbay.code': 200, 'patchbay.channel': 'rootless' } },
      { ...shared, name: 'XNode.Answer', attributes: { 'patchbay.code': 501 }, status: { code: ERROR } },
      { ...shared, name: 'command', attributes: { 'patchbay.code': -32601 } },
    ])
  })

  test('lines about a message say by which link, name, channel and trace it can be found', async () => {
    const { traceId, traceparent } = traced('f')
    publish(CALL.toString().replaceAll(UUID, 'logged'), { traceparent, 'patchbay-id': 'm-1' })
    const lines = () => gateway.lines.filter((line) => line.includes(traceId)).map((line) => JSON.parse(line) as object)
    await expect.poll(lines).not.toHaveLength(0)
    const span = { trace_id: traceId, span_id: expect.stringMatching(/^[0-9a-f]{16}$/) as string }
    await expect
      .poll(lines)
      .toEqual(
        expect.arrayContaining([
          expect.objectContaining({ msg: 'message taken', link: 'legacy', id: 'm-1', channel: 'logged', ...span }),
          expect.objectContaining({ msg: 'message sent', link: 'bus', route: 'legacy-to-bus', ...span }),
        ]),
      )
  })
})
