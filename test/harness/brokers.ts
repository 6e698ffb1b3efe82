import {
  findNats,
  findRabbitMq,
  type PrivateRabbitMq,
  type RabbitMqOptions,
  rabbitMqCtl,
  startPrivateNats,
  startPrivateRabbitMq,
} from '../../src/cli/private-brokers/index.js'
import { freshSecret } from '../tools/run-logs.js'
import { containerRabbitMqCtl, startNatsContainer, startRabbitMqContainer } from './containers.js'
import type { RabbitMqControl, TestNats, TestNatsOptions, TestRabbitMq } from './contract.js'

export type { RabbitMqControl, TestNats, TestNatsOptions, TestRabbitMq } from './contract.js'

/** Runs `rabbitmqctl` (about a second). @throws Error with its output. */
export function ctl(control: RabbitMqControl, ...args: string[]): Promise<string> {
  return control.kind === 'program' ? rabbitMqCtl(control, ...args) : containerRabbitMqCtl(control.id, args)
}

/** What tests see of a broker that was started as a program. */
export function asTestRabbitMq(broker: PrivateRabbitMq): TestRabbitMq {
  return {
    ...broker,
    control: { kind: 'program', ...broker.control },
    get pid() {
      return broker.pid // changes with every restart
    },
  }
}

/**
 * Starts a RabbitMQ of the caller's own: the program on this machine, where the password of its user guest is made up,
 * else a container, where it is guest. Stop it when done.
 */
export async function startRabbitMq(options: RabbitMqOptions = {}): Promise<TestRabbitMq> {
  const programs = findRabbitMq()
  if (programs === undefined) return startRabbitMqContainer(options)
  const password = freshSecret('amqp')
  const extraConfig = [...(options.extraConfig ?? []), `default_pass = ${password}`]
  const broker = asTestRabbitMq(await startPrivateRabbitMq(programs, { ...options, extraConfig }))
  const open = (url: string) => url.replace('guest:guest@', `guest:${password}@`)
  return {
    ...broker,
    url: open(broker.url),
    tlsUrl: broker.tlsUrl && open(broker.tlsUrl),
    get pid() {
      return broker.pid // changes with every restart
    },
  }
}

/** Starts a NATS server of the caller's own: the program on this machine, else a container. Stop it when done. */
export async function startNats(options: TestNatsOptions = {}): Promise<TestNats> {
  const program = findNats()
  return program === undefined ? startNatsContainer(options) : startPrivateNats(program, options)
}
