import { formatFault, loadConfig } from '../config/index.js'
import { openGateway } from '../gateway/open.js'
import { startAdmin } from '../telemetry/index.js'
import type { CliCommand } from './command.js'
import { EXIT } from './io.js'
import { packageVersion } from './version.js'

const EXAMPLES = `
Examples:
  patchbay run -c patchbay.yaml
  LEGACY_PASSWORD=… patchbay run -c /etc/patchbay/patchbay.yaml

SIGTERM and SIGINT stop it orderly: it takes nothing more, finishes what it holds and
exits with 0. A second signal ends it at once. SIGHUP: it looks at once whether mapping files
or routes have changed.`

/** `patchbay run`: the gateway, until it is told to stop. */
export const runCommand: CliCommand = {
  name: 'run',
  register(command, { io, exit }) {
    command
      .description('Run the gateway.')
      .requiredOption('-c, --config <file>', 'configuration file')
      .addHelpText('after', EXAMPLES)
      .action(async ({ config: file }: { config: string }) => {
        const loaded = loadConfig(file, process.env)
        const opened =
          loaded.faults === undefined
            ? openGateway(loaded.config, loaded.source, {
                version: packageVersion(),
                file: { file, env: process.env, text: loaded.text },
              })
            : loaded
        if (opened.faults !== undefined) {
          for (const fault of opened.faults) io.err(formatFault(fault))
          return exit(EXIT.faults)
        }
        await runUntilSignal(opened, loaded.config!)
      })
  },
}

type Opened = Exclude<ReturnType<typeof openGateway>, { readonly faults: readonly unknown[] }>
type Config = NonNullable<ReturnType<typeof loadConfig>['config']>

async function runUntilSignal({ gateway, metrics, health, log }: Opened, config: Config): Promise<void> {
  const admin = await startAdmin({
    ...config.admin,
    metrics,
    readiness: health.read,
    rules: gateway.reloading.status,
    log,
  })
  log.info('admin server listens', { host: config.admin.host, port: admin.port })
  const signal = nextSignal()
  onReloadSignal(gateway.reloading)
  const failed = gateway.start().then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => ({ error }),
  )
  const ended = await Promise.race([signal, failed])
  onSecondSignal()
  if (typeof ended === 'object') log.error('the gateway cannot run', { err: ended.error })
  await gateway.stop()
  await admin.stop()
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
