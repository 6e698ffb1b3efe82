import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { guardedFolder, type ServerProcess } from './guarded-folder.js'
import { freePorts, untilAnswers } from './loopback.js'

/** What a private NATS server is started with. */
export interface NatsOptions {
  /** Turn JetStream on. Default true. */
  readonly jetstream?: boolean
  /** Lines appended to the server's configuration. Default none. */
  readonly extraConfig?: string
}

/** A NATS server of our own. `restart` keeps port and data; `stop` removes both. */
export interface PrivateNats {
  /** What the server calls itself. */
  readonly name: string
  readonly url: string
  readonly port: number
  readonly pid: number
  kill9(): Promise<void>
  /** Ends the server gently if it runs, and starts it again. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const START_TIMEOUT_MS = 20_000

function configuration(port: number, name: string, folder: string, options: NatsOptions): string {
  const lines = [`listen: 127.0.0.1:${port}`, `server_name: ${name}`, `log_file: "${join(folder, 'log')}"`]
  if (options.jetstream ?? true) lines.push(`jetstream { store_dir: "${join(folder, 'jetstream')}" }`)
  if (options.extraConfig !== undefined) lines.push(options.extraConfig)
  return `${lines.join('\n')}\n`
}

/**
 * Starts `program` (a nats-server) on a free loopback port. Ready when it answers, some 10 ms.
 * @throws Error with the end of the server's log when it does not come up.
 */
export async function startPrivateNats(program: string, options: NatsOptions = {}): Promise<PrivateNats> {
  const [port = 0] = await freePorts(1)
  const name = `patchbay-${port}`
  const folder = guardedFolder('nats')
  const configFile = join(folder.path, 'nats.conf')
  writeFileSync(configFile, configuration(port, name, folder.path, options))
  const start = async (): Promise<ServerProcess> => {
    const server = folder.spawn(program, ['-c', configFile], process.env, 'out.log')
    try {
      await untilAnswers(port, '', START_TIMEOUT_MS, server.running)
    } catch (cause) {
      const log = `${folder.tail('out.log')}\n${folder.tail('log')}`
      await folder.remove()
      throw new Error(`nats-server did not start: ${log}`, { cause })
    }
    return server
  }
  let server = await start()
  return {
    name,
    url: `nats://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid
    },
    kill9: () => server.end('SIGKILL'),
    async restart() {
      if (server.running()) await server.end('SIGTERM')
      server = await start()
    },
    stop: () => folder.remove(),
  }
}
