import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/** Where RabbitMQ's programs are. */
export interface RabbitMqPrograms {
  readonly server: string
  readonly ctl: string
  /** Erlang's port mapper; absent when it is nowhere to be found and RabbitMQ has to start its own. */
  readonly epmd: string | undefined
}

/** Folders that hold servers although they are not on every user's PATH. */
const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/sbin', '/usr/local/bin']

/** The scripts behind Debian's wrapper; the wrapper itself changes the user and the folder. */
const DEBIAN_RABBITMQ = '/usr/lib/rabbitmq/bin'

function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SERVER_FOLDERS]
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

function findEpmd(): string | undefined {
  const onPath = findProgram('epmd')
  if (onPath !== undefined) return onPath
  const erlang = '/usr/lib/erlang'
  if (!existsSync(erlang)) return undefined
  const runtimes = readdirSync(erlang).filter((name) => name.startsWith('erts-'))
  return runtimes.map((name) => join(erlang, name, 'bin', 'epmd')).find((path) => existsSync(path))
}

/** RabbitMQ on this machine, or undefined. */
export function findRabbitMq(): RabbitMqPrograms | undefined {
  const wrapper = findProgram('rabbitmq-server')
  const folders = [DEBIAN_RABBITMQ, ...(wrapper === undefined ? [] : [dirname(realpathSync(wrapper))])]
  const folder = folders.find((at) => existsSync(join(at, 'rabbitmq-server')) && existsSync(join(at, 'rabbitmqctl')))
  if (folder === undefined) return undefined
  return { server: join(folder, 'rabbitmq-server'), ctl: join(folder, 'rabbitmqctl'), epmd: findEpmd() }
}

/** The path of `nats-server` on this machine, or undefined. */
export function findNats(): string | undefined {
  return findProgram('nats-server')
}

/** The path of `asterisk` on this machine, or undefined. */
export function findAsterisk(): string | undefined {
  return findProgram('asterisk')
}
