import { describe, expect, test, vi } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { noTracing, openTracing, UNTRACED } from '../../src/telemetry/index.js'
import type { Delivery } from '../../src/transports/transport.js'
import { startOtlpCollector } from './otlp-collector.js'

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

const delivery = (headers: Record<string, string>): Delivery => ({
  frame: { address: { subject: 's' }, headers, body: Buffer.from('secret') },
  receivedAt: 0,
  redelivered: false,
  settle: () => undefined,
})

const systems = new Map([['bus', 'nats']])
const ignore = () => undefined

const open = (env: NodeJS.ProcessEnv, more: Partial<Parameters<typeof openTracing>[0]> = {}) =>
  openTracing({ enabled: true, version: '0', group: 'hq', systems, onExport: ignore, onWarning: ignore, ...more }, env)

describe('without tracing', () => {
  test('the context of a message goes on unchanged, and nothing is recorded', () => {
    const span = noTracing.receive('bus', delivery({ Traceparent: PARENT, tracestate: 'a=1' }), 'i')
    const made = span.stage('write', 'r', ({ headers }) => headers)
    expect(made).toEqual({ traceparent: PARENT, tracestate: 'a=1' })
    expect([span.isOn, span.fields]).toEqual([false, {}])
  })

  test('a message without a context costs no span of its own', () => {
    expect(noTracing.receive('bus', delivery({ 'patchbay-id': 'i' }), 'i')).toBe(UNTRACED)
  })

  test('work is done, and its errors are its own', () => {
    expect(UNTRACED.stage('decide', undefined, () => 7)).toBe(7)
    expect(() =>
      UNTRACED.stage('read', undefined, () => {
        throw new GatewayError('codec.malformed', 'no')
      }),
    ).toThrow('no')
  })

  test.each([
    { name: 'the configuration', enabled: false, env: {} },
    { name: 'the environment', enabled: true, env: { OTEL_SDK_DISABLED: 'true' } },
  ])('where $name says so', async ({ enabled, env }) => expect(await open(env, { enabled })).toBe(noTracing))
})

describe('with tracing', () => {
  test('a message that is not sampled is not recorded, and its context says so to the next', async () => {
    const tracing = await open({ OTEL_TRACES_EXPORTER: 'none' })
    const unsampled = PARENT.replace(/01$/, '00')
    const span = tracing.receive('bus', delivery({ traceparent: unsampled, tracestate: 'a=1' }), 'i')
    expect(span.isOn).toBe(false)
    expect(span.headers).toEqual({
      traceparent: expect.stringMatching(
        /^00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)[0-9a-f]{16}-00$/,
      ) as string,
      tracestate: 'a=1',
    })
    await tracing.stop()
  })

  test('each stage carries a context of its own, within the trace of the message', async () => {
    const tracing = await open({ OTEL_TRACES_EXPORTER: 'none' })
    const span = tracing.receive('bus', delivery({ traceparent: PARENT }), 'i')
    const contexts = [span.headers, span.stage('write', 'r', ({ headers }) => headers)].map((each) => each.traceparent!)
    expect(new Set([PARENT, ...contexts]).size).toBe(3)
    for (const text of contexts) expect(text.slice(3, 35)).toBe(PARENT.slice(3, 35))
    expect(span.fields).toEqual({ trace_id: PARENT.slice(3, 35), span_id: contexts[0]!.slice(36, 52) })
    await tracing.stop()
  })

  test('spans that nobody takes are told of once, until somebody does; the last ones leave with the process', async () => {
    const collector = await startOtlpCollector()
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
    vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '10')
    const told: (string | undefined)[] = []
    const tracing = await open(
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      { onExport: (error) => told.push(error?.name) },
    )
    vi.unstubAllEnvs()
    const record = (id: string) => tracing.receive('bus', delivery({}), id).end()
    collector.answer(400)
    record('refused')
    await expect.poll(() => told).toHaveLength(1)
    const before = collector.requests()
    record('refused, too')
    await expect.poll(collector.requests).toBeGreaterThan(before)
    collector.answer(200)
    record('taken')
    await expect.poll(() => collector.spans).toHaveLength(1)
    record('last')
    await tracing.stop()
    expect(collector.spans.map(({ attributes }) => attributes['messaging.message.id'])).toEqual(['taken', 'last'])
    expect(told).toEqual([expect.any(String), undefined])
    await collector.stop()
  })

  test('a variable that the library does not understand is told of', async () => {
    vi.stubEnv('OTEL_TRACES_SAMPLER', 'sometimes')
    const told: string[] = []
    const tracing = await open({ OTEL_TRACES_EXPORTER: 'none' }, { onWarning: (text) => told.push(text) })
    vi.unstubAllEnvs()
    expect(told).toEqual([expect.stringContaining('"sometimes"')])
    await tracing.stop()
  })

  test.each([
    { env: { OTEL_TRACES_EXPORTER: 'zipkin' }, want: 'OTEL_TRACES_EXPORTER: there is no `zipkin`' },
    { env: { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, want: 'OTEL_EXPORTER_OTLP_PROTOCOL: there is no `grpc`' },
  ])('an exporter that there is not is refused: $env', async ({ env, want }) => {
    await expect(open(env)).rejects.toThrow(want)
  })
})
