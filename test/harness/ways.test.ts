import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startNats, startRabbitMq, type TestNats, type TestRabbitMq } from './brokers.js'
import { BASE_IMAGES, type ImageEngine, openImageEngine } from './images/index.js'
import { shareBrokers } from './shared-brokers.js'
import { keepsListening, listens, treat, use } from './ways/contract.js'

const USABLE = { queue: 'by the queue', subject: 'by the subject', stream: 1 }
const OBEDIENT = { fresh: USABLE, sum: '42', killed: [false, false], again: USABLE }

const here = (name: string) => fileURLToPath(new URL(`ways/${name}`, import.meta.url))

let rabbitMq: TestRabbitMq
let nats: TestNats
beforeAll(async () => {
  ;[rabbitMq, nats] = await Promise.all([startRabbitMq(), startNats()])
})
afterAll(async () => {
  await Promise.all([rabbitMq?.stop(), nats?.stop()])
  expect([await keepsListening(rabbitMq), await keepsListening(nats)]).toEqual([false, false])
})

test('programs of this machine: they are private, obey, and come back where they were', async () => {
  expect([rabbitMq.control.kind, typeof rabbitMq.pid, typeof nats.pid]).toEqual(['program', 'number', 'number'])
  expect(await treat(rabbitMq, nats)).toEqual(OBEDIENT)
})

test('addresses in the environment: they are taken as they are, and left running', async () => {
  const env = { PATCHBAY_TEST_AMQP_URL: rabbitMq.url, PATCHBAY_TEST_NATS_URL: nats.url }
  const shared = await shareBrokers(env)
  expect(shared).toMatchObject({ amqpUrl: rabbitMq.url, natsUrl: nats.url, rabbitMqControl: null })
  expect(await use(shared.amqpUrl, shared.natsUrl)).toEqual(USABLE)
  await shared.stop()
  expect([await listens(rabbitMq), await listens(nats)]).toEqual([true, true])
})

test('one address in the environment: only the other broker is started, and stopped', async () => {
  const shared = await shareBrokers({ PATCHBAY_TEST_AMQP_URL: rabbitMq.url })
  expect([shared.amqpUrl, shared.natsUrl === nats.url]).toEqual([rabbitMq.url, false])
  expect(await use(shared.amqpUrl, shared.natsUrl)).toEqual(USABLE)
  await shared.stop()
  expect([await listens(rabbitMq), await keepsListening({ url: shared.natsUrl })]).toEqual([true, false])
})

test('containers, on the socket of Podman: they obey, and nothing is left', { timeout: 300_000 }, async () => {
  const engine: ImageEngine = await openImageEngine()
  try {
    const contained = [process.execPath, '--import', 'tsx', here('contained.ts')]
    const env = {
      ...engine.env,
      PATCHBAY_TEST_RABBITMQ_IMAGE: BASE_IMAGES.rabbitMq,
      PATCHBAY_TEST_NATS_IMAGE: BASE_IMAGES.nats,
    }
    const { stdout } = await promisify(execFile)('sh', [here('with-podman.sh'), engine.folder, ...contained], { env })
    expect(JSON.parse(stdout)).toEqual({ ...OBEDIENT, stopped: [false, false] })
    expect(await engine.podman('ps', '--all', '--quiet', '--external')).toBe('')
  } finally {
    await engine.remove()
  }
})
