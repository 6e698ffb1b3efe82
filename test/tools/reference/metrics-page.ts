import { METRICS } from '../../../src/telemetry/metric-list.js'
import { code, page, table } from './page.js'

interface Metric {
  readonly name: string
  readonly kind: string
  readonly labels: readonly string[]
  readonly help: string
}

const ABOUT = `What \`/metrics\` on the admin port shows of the gateway, in the form of Prometheus, beside the figures of the process (\`process_…\`,
\`nodejs_…\`). Labels are closed sets: names of links and routes of the configuration, [error codes](error-codes.md), and words of the program.
What to watch, and which alerts the chart brings, stands in [operating.md](../operating.md#metrics-and-alerts).`

/** `docs/reference/metrics.md`: every metric of ours. */
export function metricsPage(): string {
  const metrics: readonly Metric[] = METRICS
  const rows = metrics.map(({ name, kind, labels, help }) => [code(name), kind, labels.map(code).join(', '), help])
  return page('Metrics', ABOUT, [table(['Metric', 'Kind', 'Labels', 'Meaning'], rows)])
}
