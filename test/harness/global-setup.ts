import type { TestProject } from 'vitest/node'
import { prepareAsterisk } from './asterisk/index.js'
import type { RabbitMqControl } from './brokers.js'
import { ensureInstalled } from './install.js'
import { shareBrokers } from './shared-brokers.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** A RabbitMQ shared by the run: `amqp://user:password@host:port`. Never kill it; take a vhost with `freshVhost`. */
    amqpUrl: string
    /** A NATS server with JetStream, shared by the run. Never kill it; take subjects with `freshName`. */
    natsUrl: string
    /** How to reach the shared broker's `rabbitmqctl`; null where the address came from the environment. */
    rabbitMqControl: RabbitMqControl | null
  }
}

/** Prepares the brokers that a test run shares, and the Asterisk that its tests start. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await ensureInstalled()
  await prepareAsterisk()
  const { amqpUrl, natsUrl, rabbitMqControl, stop } = await shareBrokers(process.env)
  project.provide('amqpUrl', amqpUrl)
  project.provide('natsUrl', natsUrl)
  project.provide('rabbitMqControl', rabbitMqControl)
  return stop
}
