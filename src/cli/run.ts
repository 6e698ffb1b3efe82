import { formatFault, loadConfig } from '../config/index.js'
import { GatewayError } from '../errors.js'
import { openGateway } from '../gateway/open.js'
import { readStatus, startAdmin, type Tracing, watchStalls } from '../telemetry/index.js'
import type { CliCommand } from './command.js'
import { EXIT } from './io.js'
import { tracingOf } from './tracing.js'
import { packageVersion } from './version.js'

const EXAMPLES = `
Examples:
  patchbay run -c patchbay.yaml
  LEGACY_PASSWORD=… patchbay run -c /etc/patchbay/patchbay.yaml

SIGTERM and SIGINT stop it orderly: it takes nothing more, finishes what it holds and
exits with 0. A second signal ends it at once. SIGHUP: it looks at once whether mapping files,
routes, certificates or passwords have changed.`

/** `patchbay run`: the gateway, until it is told to stop. */
export const runCommand: CliCommand = {
  name: 'run',
  register(command, { io, exit }) {
    command
      .description('Run the gateway.')
      .requiredOption('-c, --config <file>', 'configuration file')
      .addHelpText('after', EXAMPLES)
      .action(async ({ config: file }: { config: string }) => {
        const refuse = (faults: readonly string[]) => {
          for (const fault of faults) io.err(fault)
          exit(EXIT.faults)
        }
        const loaded = loadConfig(file, process.env)
        if (loaded.faults !== undefined) return refuse(loaded.faults.map(formatFault))
        const version = packageVersion()
        const tracing = await tracingOf(loaded.config, version, process.env).catch(asRefusal)
        if (typeof tracing === 'string') return refuse([tracing])
        const followed = { file, env: process.env, text: loaded.text }
        const opened = openGateway(loaded.config, loaded.source, { version, file: followed, tracing })
        if (opened.faults !== undefined) return refuse(opened.faults.map(formatFault))
        await runUntilSignal(opened, loaded.config, tracing)
      })
  },
}

type Opened = Exclude<ReturnType<typeof openGateway>, { readonly faults: readonly unknown[] }>
type Config = NonNullable<ReturnType<typeof loadConfig>['config']>

/** What an environment lacks is no bug. */
function asRefusal(error: unknown): string {
  if (error instanceof GatewayError) return `${error.code}: ${error.message}`
  throw error
}

async function runUntilSignal(
  { gateway, metrics, health, log }: Opened,
  config: Config,
  tracing: Tracing,
): Promise<void> {
  const stalls = watchStalls(config.admin.stallMs)
  const { reloading, routes } = gateway
  const status = { group: config.group, version: packageVersion(), health, metrics, routes }
  const admin = await startAdmin({
    ...config.admin,
    metrics,
    liveness: stalls.read,
    readiness: health.read,
    status: () => readStatus({ ...status, revision: () => reloading.status().revision }),
    rules: reloading.status,
    reload: reloading.look,
    withoutSecrets: log.withoutSecrets,
    log,
  })
  stalls.start()
  log.info('admin server listens', { host: config.admin.host, port: admin.port })
  const signal = nextSignal()
  onReloadSignal(reloading)
  const failed = gateway.start().then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => ({ error }),
  )
  const ended = await Promise.race([signal, failed])
  onSecondSignal()
  if (typeof ended === 'object') log.error('the gateway cannot run', { err: ended.error })
  await gateway.stop()
  await tracing.stop()
  await admin.stop()
  stalls.stop()
  if (typeof ended === 'object') process.exitCode = EXIT.faults
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
}

function onReloadSignal({ look }: Opened['gateway']['reloading']): void {
  process.on('SIGHUP', () => void look())
}

function onSecondSignal(): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(EXIT.faults))
}
