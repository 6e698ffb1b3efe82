import type { Config } from '../config/index.js'
import { createLog, openTracing, type Tracing } from '../telemetry/index.js'

/** What links lead to, in the words of OpenTelemetry where it has one. */
const SYSTEMS: Readonly<Record<Config['links'][string]['type'], string>> = {
  amqp: 'rabbitmq',
  nats: 'nats',
  ari: 'asterisk',
  'ari-server': 'asterisk',
}

/**
 * Makes the tracing that a configuration asks for, and the environment describes.
 * @throws GatewayError config.invalid for an environment that asks for what there is not
 */
export function tracingOf(config: Config, version: string, env: NodeJS.ProcessEnv): Promise<Tracing> {
  const log = createLog(config.log)
  const systems = new Map(Object.entries(config.links).map(([name, { type }]) => [name, SYSTEMS[type]]))
  const options = {
    enabled: config.traces.enabled,
    version,
    group: config.group,
    systems,
    onExport(error: Error | undefined) {
      if (error === undefined) log.info('traces are exported again')
      else log.warn('traces cannot be exported', { reason: error.message })
    },
    onWarning: (text: string) => log.warn('tracing has a warning', { text }),
  }
  return openTracing(options, env)
}
