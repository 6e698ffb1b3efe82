import type { TestProject } from 'vitest/node'
import { prepareAsterisk } from './asterisk/index.js'
import { type RabbitMqControl, startNats, startRabbitMq, type TestNats, type TestRabbitMq } from './brokers.js'
import { ensureInstalled } from './install.js'

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

/**
 * Finds or starts the brokers that a test run shares, and prepares the Asterisk that its tests start. Addresses in `PATCHBAY_TEST_AMQP_URL` and
 * `PATCHBAY_TEST_NATS_URL` come first, then programs on the machine, then containers.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { PATCHBAY_TEST_AMQP_URL: amqpUrl, PATCHBAY_TEST_NATS_URL: natsUrl } = process.env
  await ensureInstalled()
  await prepareAsterisk()
  const [rabbitMq, nats]: [TestRabbitMq | undefined, TestNats | undefined] = await Promise.all([
    amqpUrl === undefined ? startRabbitMq() : undefined,
    natsUrl === undefined ? startNats() : undefined,
  ])
  project.provide('amqpUrl', amqpUrl ?? rabbitMq?.url ?? '')
  project.provide('natsUrl', natsUrl ?? nats?.url ?? '')
  project.provide('rabbitMqControl', rabbitMq?.control ?? null)
  return async () => {
    await Promise.all([rabbitMq?.stop(), nats?.stop()])
  }
}
