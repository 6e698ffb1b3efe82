/** What the gateway tells about itself: metrics, log, health, and the server that shows them. */
export { type AdminOptions, type AdminServer, startAdmin } from './admin.js'
export { createHealth, type Health, type HealthLink, type LinkHealth, type Readiness } from './health.js'
export { createLog, type Log, type LogFields, type LogOptions, type LogSink } from './log.js'
export {
  createMetrics,
  type DropReason,
  type IgnoredKind,
  type LinkMetrics,
  type Metrics,
  type MetricsOptions,
  type RouteMetrics,
} from './metrics.js'
export { scrub, scrubText } from './scrub.js'
