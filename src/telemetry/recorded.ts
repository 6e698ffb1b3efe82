import {
  type Attributes,
  type Context,
  createTraceState,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { GatewayError } from '../errors.js'
import { TRACE_HEADERS } from '../transports/trace-headers.js'
import type { Address, Frame } from '../transports/transport.js'
import type { Provider } from './exporting.js'
import { readTraceparent, traceHeadersOf, writeTraceparent } from './trace-context.js'
import { type Span, type SpanFacts, type Tracing, unrecorded } from './traces.js'

/** UTC milliseconds with fractions. */
type Clock = () => number

/** Tracing by OpenTelemetry. A message that is not sampled costs little more than one that is not traced. */
export function recordedTracing({ tracer, stop }: Provider, systems: ReadonlyMap<string, string>): Tracing {
  const clock = steadyClock()

  /** Attributes of whatever concerns messages of a link. */
  function messagingOf(link: string, address: Address | undefined): Attributes {
    const destination = address && destinationOf(address)
    return {
      'messaging.system': systems.get(link) ?? 'other',
      'patchbay.link': link,
      ...(destination !== undefined && { 'messaging.destination.name': destination }),
    }
  }

  /** @param waitedMs how long ago it began */
  function begin(name: string, kind: SpanKind, headers: Frame['headers'], attributes: Attributes, waitedMs = 0): Span {
    const parent = contextOf(headers)
    const startTime = clock() - waitedMs
    return recorded(tracer, tracer.startSpan(name, { kind, attributes, startTime }, parent), parent, clock)
  }

  return {
    isOn: true,
    receive(link, { frame, receivedAt }, id) {
      const attributes = {
        ...messagingOf(link, frame.address),
        'messaging.operation.name': 'receive',
        'messaging.operation.type': 'process',
        'messaging.message.id': id,
        'messaging.message.body.size': frame.body.byteLength,
      }
      return begin(
        `receive ${link}`,
        SpanKind.CONSUMER,
        frame.headers,
        attributes,
        Math.max(0, Date.now() - receivedAt),
      )
    },
    send(link, frames, route) {
      const [first] = frames
      const attributes = {
        ...messagingOf(link, first?.address),
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        ...(route !== undefined && { 'patchbay.route': route }),
        ...(frames.length > 1 && { 'messaging.batch.message_count': frames.length }),
        ...(frames.length === 1 && first?.messageId !== undefined && { 'messaging.message.id': first.messageId }),
      }
      return begin(`send ${link}`, SpanKind.PRODUCER, first?.headers ?? {}, attributes)
    },
    command(link, { address, headers }) {
      const attributes = { ...messagingOf(link, address), 'rpc.system': 'jsonrpc' }
      return begin('command', SpanKind.SERVER, headers, attributes)
    },
    stop,
  }
}

function recorded(tracer: Tracer, span: OtelSpan, parent: Context, clock: Clock): Span {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext()
  const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0
  const state = traceState?.serialize()
  const headers = {
    [TRACE_HEADERS.parent]: writeTraceparent({ traceId, spanId, isSampled }),
    ...(state && { [TRACE_HEADERS.state]: state }),
  }
  const fields = { trace_id: traceId, span_id: spanId }
  if (!span.isRecording()) return unrecorded(headers, fields)
  const context = trace.setSpan(parent, span)

  function fail(error: unknown): void {
    // Texts of errors may hold what a message says.
    const type = error instanceof GatewayError ? error.code : 'unexpected'
    const rule = error instanceof GatewayError ? error.rule : undefined
    span.setAttributes({ 'error.type': type, ...(rule !== undefined && { 'patchbay.rule': rule }) })
    span.setStatus({ code: SpanStatusCode.ERROR, message: type })
  }

  return {
    isOn: true,
    headers,
    fields,
    stage(stage, of, work) {
      const name = of === undefined ? stage : `${stage} ${of}`
      const attributes = of === undefined ? {} : { 'patchbay.route': of }
      const within = recorded(
        tracer,
        tracer.startSpan(name, { attributes, startTime: clock() }, context),
        context,
        clock,
      )
      try {
        return work(within)
      } catch (error) {
        within.fail(error)
        throw error
      } finally {
        within.end()
      }
    },
    set(facts) {
      span.setAttributes(attributesOf(facts))
      if (facts.method !== undefined) span.updateName(facts.method)
      if (facts.code !== undefined && facts.code >= SERVER_FAULT) span.setStatus({ code: SpanStatusCode.ERROR })
    },
    fail,
    end: () => span.end(clock()),
  }
}

/** Codes from here on are the fault of whoever was asked, those below of who asked. */
const SERVER_FAULT = 500

/** Whoever sends a message chooses its ids. Characters. */
const MAX_ID = 256
const short = (id: string) => id.slice(0, MAX_ID)

function attributesOf({ rule, channel, channels, call, outcome, method, code }: SpanFacts): Attributes {
  return {
    ...(rule !== undefined && { 'patchbay.rule': rule }),
    ...(channel !== undefined && { 'patchbay.channel': short(channel) }),
    ...(channels !== undefined && { 'patchbay.channels': channels.map(short) }),
    ...(call !== undefined && { 'patchbay.call': short(call) }),
    ...(outcome !== undefined && { 'patchbay.outcome': outcome }),
    ...(method !== undefined && { 'rpc.method': method }),
    ...(code !== undefined && { 'patchbay.code': code }),
  }
}

/** The context that headers carry, as the parent of what follows from them. */
function contextOf(headers: Frame['headers']): Context {
  const carried = traceHeadersOf(headers)
  const parent = readTraceparent(carried[TRACE_HEADERS.parent])
  if (parent === undefined) return ROOT_CONTEXT
  const state = carried[TRACE_HEADERS.state]
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(state !== undefined && { traceState: createTraceState(state) }),
  })
}

/** Where a message came to or goes: AMQP `exchange:key`, NATS the subject, ARI the application. */
function destinationOf({ exchange, key, subject, app }: Address): string | undefined {
  if (exchange !== undefined) return [exchange, key].filter((part) => part !== undefined && part !== '').join(':')
  return subject ?? app
}

/** Differences to the clock of the wall up to here are not followed. Milliseconds. */
const MAX_DRIFT_MS = 50

/** The clock of the wall counts whole milliseconds; the stages of a message are to stand in their order. */
function steadyClock(): Clock {
  let offset = Date.now() - performance.now()
  return () => {
    const drift = Date.now() - performance.now() - offset
    if (Math.abs(drift) > MAX_DRIFT_MS) offset += drift
    return offset + performance.now()
  }
}
