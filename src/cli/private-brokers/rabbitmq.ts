import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type GuardedFolder, guardedFolder, type ServerProcess } from './guarded-folder.js'
import { freePorts, untilAnswers } from './loopback.js'
import type { RabbitMqPrograms } from './programs.js'

/** What a private RabbitMQ is started with. */
export interface RabbitMqOptions {
  /** Plugins to turn on, e.g. `rabbitmq_consistent_hash_exchange`. Default none. */
  readonly plugins?: readonly string[]
  /** Lines appended to `rabbitmq.conf`. Default none. */
  readonly extraConfig?: readonly string[]
  /** PEM files of a second, TLS listener that asks its clients for a certificate. Default none. */
  readonly tls?: { readonly caFile: string; readonly certFile: string; readonly keyFile: string }
  /** What the nodes of a cluster share. Default: a broker by itself. */
  readonly cluster?: RabbitMqClusterBonds
}

/** By what the nodes of a cluster find and trust each other. */
export interface RabbitMqClusterBonds {
  /** Erlang's shared secret, letters and digits. */
  readonly cookie: string
  /** Port of a port mapper that runs as long as the nodes do; see {@link startPortMapper}. */
  readonly epmdPort: number
}

/** All that is needed to run `rabbitmqctl` against a private broker, also from another process. */
export interface RabbitMqControl {
  readonly program: string
  readonly env: Readonly<Record<string, string>>
}

/** A RabbitMQ of our own, user guest. `restart` keeps ports and data; `stop` removes both. */
export interface PrivateRabbitMq {
  /** Erlang's name of it: `patchbayPORT@localhost`. */
  readonly nodeName: string
  /** With user, password and no vhost: `amqp://guest:guest@127.0.0.1:PORT`. */
  readonly url: string
  readonly port: number
  /** The TLS listener's address, where one was asked for. */
  readonly tlsUrl: string | undefined
  /** The Erlang machine's own process, for SIGSTOP and the like. */
  readonly pid: number
  readonly control: RabbitMqControl
  /** Runs `rabbitmqctl` and gives what it printed; about a second each. */
  ctl(...args: string[]): Promise<string>
  kill9(): Promise<void>
  /** Ends the broker gently if it runs (6 to 8 s), and starts it again (4 s). */
  restart(): Promise<void>
  stop(): Promise<void>
}

const START_TIMEOUT_MS = 90_000
/** What an AMQP client says first. */
export const AMQP_HELLO = 'AMQP\x00\x00\x09\x01'

interface Layout {
  readonly amqp: number
  readonly tls: number
  readonly dist: number
  readonly epmd: number
  readonly folder: GuardedFolder
}

/** Runs `rabbitmqctl` for a private broker. @throws Error with its output when it fails. */
export async function rabbitMqCtl(control: RabbitMqControl, ...args: string[]): Promise<string> {
  const env = { ...cleanEnvironment(), ...control.env }
  const { stdout } = await promisify(execFile)(control.program, ['-q', ...args], { env })
  return stdout
}

function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => !/^(RABBITMQ|ERL)_/.test(name))
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

const nodeNameAt = (amqpPort: number) => `patchbay${amqpPort}@localhost`

function environment({ amqp, dist, epmd, folder }: Layout): Record<string, string> {
  const at = (name: string) => join(folder.path, name)
  return {
    HOME: folder.path,
    ERL_EPMD_PORT: String(epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_NODENAME: nodeNameAt(amqp),
    RABBITMQ_DIST_PORT: String(dist),
    RABBITMQ_MNESIA_BASE: at('mnesia'),
    RABBITMQ_LOG_BASE: at('log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: at('enabled_plugins'),
    RABBITMQ_CONFIG_FILE: at('rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: at('advanced.config'),
    RABBITMQ_GENERATED_CONFIG_DIR: at('generated'),
    RABBITMQ_PID_FILE: at('pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  }
}

function writeFiles({ amqp, tls, folder }: Layout, options: RabbitMqOptions): void {
  const at = (name: string) => join(folder.path, name)
  for (const name of ['mnesia', 'log', 'generated']) mkdirSync(at(name))
  const cookie = options.cluster?.cookie ?? randomBytes(16).toString('hex')
  writeFileSync(at('.erlang.cookie'), cookie, { mode: 0o400 })
  writeFileSync(at('enabled_plugins'), `[${(options.plugins ?? []).join(',')}].\n`)
  const secure = options.tls && [
    `listeners.ssl.1 = 127.0.0.1:${tls}`,
    `ssl_options.cacertfile = ${options.tls.caFile}`,
    `ssl_options.certfile = ${options.tls.certFile}`,
    `ssl_options.keyfile = ${options.tls.keyFile}`,
    'ssl_options.verify = verify_peer',
    'ssl_options.fail_if_no_peer_cert = true',
  ]
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${amqp}`,
    'vm_memory_high_watermark.absolute = 1GB',
    'disk_free_limit.absolute = 50MB',
    ...(secure ?? []),
    ...(options.extraConfig ?? []),
  ]
  writeFileSync(at('rabbitmq.conf'), `${lines.join('\n')}\n`)
}

/**
 * Starts Erlang's port mapper `epmd`, which goes with `folder`. It outlives every broker that starts one itself; started by us
 * it ends with the rest.
 */
export function startPortMapper(epmd: string, port: number, folder: GuardedFolder): void {
  const env = { ...cleanEnvironment(), ERL_EPMD_PORT: String(port) }
  folder.spawn(epmd, ['-port', String(port), '-address', '127.0.0.1'], env, 'epmd.log')
}

async function startServer(programs: RabbitMqPrograms, layout: Layout): Promise<ServerProcess> {
  const { folder, amqp } = layout
  rmSync(join(folder.path, 'pid'), { force: true })
  const server = folder.spawn(programs.server, [], { ...cleanEnvironment(), ...environment(layout) }, 'out.log')
  try {
    await untilAnswers(amqp, AMQP_HELLO, START_TIMEOUT_MS, server.running)
  } catch (cause) {
    const log = folder.tail('out.log')
    await folder.remove()
    throw new Error(`rabbitmq-server did not start: ${log}`, { cause })
  }
  return server
}

/**
 * Starts a RabbitMQ on free loopback ports, 3 to 5 s.
 * @throws Error with the end of the broker's output when it does not come up.
 */
export async function startPrivateRabbitMq(
  programs: RabbitMqPrograms,
  options: RabbitMqOptions = {},
): Promise<PrivateRabbitMq> {
  const [amqp = 0, tls = 0, dist = 0, ownEpmd = 0] = await freePorts(4)
  const folder = guardedFolder('rabbitmq')
  const epmd = options.cluster?.epmdPort ?? ownEpmd
  const layout: Layout = { amqp, tls, dist, epmd, folder }
  writeFiles(layout, options)
  if (options.cluster === undefined && programs.epmd !== undefined) startPortMapper(programs.epmd, epmd, folder)
  let server = await startServer(programs, layout)
  const control = { program: programs.ctl, env: environment(layout) }
  const machinePid = () => Number(readFileSync(join(folder.path, 'pid'), 'utf8'))
  return {
    url: `amqp://guest:guest@127.0.0.1:${amqp}`,
    port: amqp,
    nodeName: nodeNameAt(amqp),
    tlsUrl: options.tls && `amqps://guest:guest@localhost:${tls}`,
    control,
    get pid() {
      return machinePid()
    },
    ctl: (...args) => rabbitMqCtl(control, ...args),
    kill9: () => server.end('SIGKILL'),
    async restart() {
      if (server.running()) {
        await server.end('SIGTERM')
      }
      server = await startServer(programs, layout)
    },
    stop: () => folder.remove(),
  }
}
