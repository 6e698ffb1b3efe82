import type { ExportOptions } from './exporting.js'
import { noTracing, type Tracing } from './traces.js'

/** What tracing is made of; all else stands in the standard environment variables (`OTEL_…`). */
export interface TracingOptions extends ExportOptions {
  readonly enabled: boolean
  /** By link: what it leads to, in the words of OpenTelemetry's `messaging.system`. */
  readonly systems: ReadonlyMap<string, string>
}

/**
 * Makes the tracing of a process. Only what is enabled loads the libraries for it.
 * @throws GatewayError config.invalid for an environment that asks for what there is not
 */
export async function openTracing(options: TracingOptions, env: NodeJS.ProcessEnv): Promise<Tracing> {
  if (!options.enabled || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return noTracing
  const [{ openProvider }, { recordedTracing }] = await Promise.all([import('./exporting.js'), import('./recorded.js')])
  return recordedTracing(await openProvider(options, env), options.systems)
}
