/** What the gateway tells about itself: metrics, log, traces, health, and the server that shows them. */
export { type AdminOptions, type AdminServer, startAdmin } from './admin.js'
export { createHealth, type Health, type HealthLink, type LinkHealth, type Readiness } from './health.js'
export { createLog, type Log, type LogFields, type LogOptions, type LogSink, type RootLog } from './log.js'
export { METRICS } from './metric-list.js'
export {
  createMetrics,
  type DropReason,
  type IgnoredKind,
  type LinkMetrics,
  type Metrics,
  type MetricsOptions,
  type RouteMetrics,
  type StageMetrics,
} from './metrics.js'
export { openTracing } from './open-tracing.js'
export { scrub, scrubText, withoutExcerpts } from './scrub.js'
export { watchStalls } from './stalls.js'
export { readStatus } from './status.js'
export { NO_TRACE, withTrace } from './trace-context.js'
export { noTracing, type Span, type SpanFacts, type Tracing, UNTRACED } from './traces.js'
