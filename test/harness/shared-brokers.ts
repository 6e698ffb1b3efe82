import { type RabbitMqControl, startNats, startRabbitMq, type TestNats, type TestRabbitMq } from './brokers.js'

/** The brokers that a test run shares. */
export interface SharedBrokers {
  readonly amqpUrl: string
  readonly natsUrl: string
  /** Null where the address came from the environment. */
  readonly rabbitMqControl: RabbitMqControl | null
  /** Ends those that were started for the run. */
  stop(): Promise<void>
}

/**
 * Finds or starts brokers: addresses in `PATCHBAY_TEST_AMQP_URL` and `PATCHBAY_TEST_NATS_URL` come first, then programs on
 * the machine, then containers.
 */
export async function shareBrokers(env: NodeJS.ProcessEnv): Promise<SharedBrokers> {
  const { PATCHBAY_TEST_AMQP_URL: amqpUrl, PATCHBAY_TEST_NATS_URL: natsUrl } = env
  const [rabbitMq, nats]: [TestRabbitMq | undefined, TestNats | undefined] = await Promise.all([
    amqpUrl === undefined ? startRabbitMq() : undefined,
    natsUrl === undefined ? startNats() : undefined,
  ])
  return {
    amqpUrl: amqpUrl ?? rabbitMq?.url ?? '',
    natsUrl: natsUrl ?? nats?.url ?? '',
    rabbitMqControl: rabbitMq?.control ?? null,
    async stop() {
      await Promise.all([rabbitMq?.stop(), nats?.stop()])
    },
  }
}
