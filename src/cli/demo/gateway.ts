import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { formatFault, type LoadResult, loadConfig, parseConfig } from '../../config/index.js'
import { makeTransport, type TransportMakers } from '../../gateway/links.js'
import { openGateway } from '../../gateway/open.js'
import { type GuardedFolder, guardedFolder, type ServerProcess } from '../private-brokers/index.js'
import { packageVersion } from '../version.js'
import { type Addresses, configText, mappingText, type Site } from './site.js'
import { saidBy, Trouble, within } from './trouble.js'

/** A gateway that runs. */
export interface RunningGateway {
  /** How it runs, in words. */
  readonly label: string
  /** The exposition text of its metrics. */
  metrics(): Promise<string>
  /** The end of its log. */
  tail(): string
  stop(): Promise<void>
}

/** Time for a gateway to start. Milliseconds. */
const START_MS = 15_000

const CONFIG_FILE = 'patchbay.yaml'
const LOG_FILE = 'gateway.log'

/** Writes the configuration into a folder, with the site's own mapping where it needs one. */
function writeFiles(folder: GuardedFolder, site: Site, addresses: Addresses): string {
  const mapping = site.prefix === '' ? undefined : join(folder.path, 'voice-events.yaml')
  if (mapping !== undefined) writeFileSync(mapping, mappingText(site), { mode: 0o600 })
  const file = join(folder.path, CONFIG_FILE)
  writeFileSync(file, configText(site, addresses, mapping), { mode: 0o600 })
  return file
}

/**
 * Starts `patchbay run` as a process of its own.
 * @throws Trouble with the end of its log when it does not start.
 */
export async function startProcess(site: Site, addresses: Addresses): Promise<RunningGateway> {
  const folder = guardedFolder('demo')
  const file = writeFiles(folder, site, addresses)
  const main = fileURLToPath(new URL('../../main.js', import.meta.url))
  const server = folder.spawn(process.execPath, [main, 'run', '-c', file], process.env, LOG_FILE)
  const log = () => readFileSync(join(folder.path, LOG_FILE), 'utf8')
  const tail = () => folder.tail(LOG_FILE)
  try {
    await within(untilSaid(log, 'gateway started', server), START_MS, () => `patchbay run does not start:\n${tail()}`)
  } catch (error) {
    const trouble = server.running() ? error : new Trouble(`patchbay run ended while starting:\n${tail()}`)
    await folder.remove()
    throw trouble
  }
  const port = /"host":"[^"]*","port":(\d+)/.exec(log())?.[1]
  return {
    label: `patchbay run -c ${CONFIG_FILE}, process ${server.pid}`,
    metrics: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
    tail,
    async stop() {
      await server.end('SIGTERM')
      await folder.remove()
    },
  }
}

async function untilSaid(log: () => string, words: string, server: ServerProcess): Promise<void> {
  while (!log().includes(words)) {
    if (!server.running()) throw new Trouble('it ended')
    await delay(30)
  }
}

/**
 * Starts the gateway in this process, with links of other makers.
 * @throws Trouble when it does not start.
 */
export async function startInside(site: Site, addresses: Addresses, makers: TransportMakers): Promise<RunningGateway> {
  const folder = site.prefix === '' ? undefined : guardedFolder('demo')
  const loaded: LoadResult =
    folder === undefined
      ? parseConfig(configText(site, addresses, undefined), CONFIG_FILE, {})
      : loadConfig(writeFiles(folder, site, addresses), {})
  const lines: string[] = []
  const opened =
    loaded.faults === undefined
      ? openGateway(loaded.config, loaded.source, {
          version: packageVersion(),
          sink: { write: (line) => void lines.push(line) },
          makeTransport: (name, link, dialect, roles, config) =>
            makeTransport(name, link, dialect, roles, config, makers),
        })
      : loaded
  const stop = async () => folder?.remove()
  if (opened.faults !== undefined) {
    await stop()
    throw new Trouble(opened.faults.map(formatFault).join('\n'))
  }
  const { gateway, metrics } = opened
  const tail = () => lines.slice(-15).join('')
  try {
    await within(gateway.start(), START_MS, () => `the gateway does not start:\n${tail()}`)
  } catch (error) {
    await gateway.stop()
    await stop()
    throw error instanceof Trouble ? error : new Trouble(`the gateway cannot run: ${saidBy(error)}`)
  }
  return {
    label: 'in this process',
    metrics: metrics.text,
    tail,
    async stop() {
      await gateway.stop()
      await stop()
    },
  }
}
