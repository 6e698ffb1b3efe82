import { dirname } from 'node:path'
import { RabbitMQContainer } from '@testcontainers/rabbitmq'
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers'
import { freePorts, untilAnswers } from '../../src/cli/private-brokers/loopback.js'
import { AMQP_HELLO, type RabbitMqOptions } from '../../src/cli/private-brokers/rabbitmq.js'
import type { TestNats, TestNatsOptions, TestRabbitMq } from './contract.js'

/** Others may be named, for a registry of one's own. */
const {
  PATCHBAY_TEST_RABBITMQ_IMAGE: RABBITMQ_IMAGE = 'rabbitmq:3.13.7-alpine',
  PATCHBAY_TEST_NATS_IMAGE: NATS_IMAGE = 'nats:2.10.29-alpine',
} = process.env
const RUBY_IMAGE = 'ruby:3.1.6-slim-bookworm'
const START_TIMEOUT_MS = 90_000

/** Whether a Docker engine answers. */
export async function hasDockerEngine(): Promise<boolean> {
  try {
    await getContainerRuntimeClient()
    return true
  } catch {
    return false
  }
}

async function lifeOf(container: StartedTestContainer, port: number, hello: string) {
  const { container: engine } = await getContainerRuntimeClient()
  const handle = engine.getById(container.getId())
  const running = async () => (await engine.inspect(handle)).State.Running
  return {
    kill9: async () => void (await handle.kill({ signal: 'SIGKILL' })),
    async restart() {
      if (await running()) await handle.stop()
      await handle.start()
      await untilAnswers(port, hello, START_TIMEOUT_MS, () => true, container.getHost())
    },
    stop: async () => void (await container.stop({ remove: true, removeVolumes: true })),
  }
}

/** Runs `rabbitmqctl` inside a container. @throws Error with its output. */
export async function containerRabbitMqCtl(id: string, args: readonly string[]): Promise<string> {
  const { container: engine } = await getContainerRuntimeClient()
  const { exitCode, output } = await engine.exec(engine.getById(id), ['rabbitmqctl', '-q', ...args])
  if (exitCode !== 0) throw new Error(`rabbitmqctl ${args.join(' ')}: ${output}`)
  return output
}

function rabbitMqConf(options: RabbitMqOptions): string {
  const { tls } = options
  const secure = tls && [
    'listeners.ssl.1 = 5671',
    `ssl_options.cacertfile = ${tls.caFile}`,
    `ssl_options.certfile = ${tls.certFile}`,
    `ssl_options.keyfile = ${tls.keyFile}`,
    'ssl_options.verify = verify_peer',
    'ssl_options.fail_if_no_peer_cert = true',
  ]
  return `${['disk_free_limit.absolute = 50MB', ...(secure ?? []), ...(options.extraConfig ?? [])].join('\n')}\n`
}

/** RabbitMQ from its image. Ports are fixed, so that they survive a restart. */
export async function startRabbitMqContainer(options: RabbitMqOptions): Promise<TestRabbitMq> {
  const [amqp = 0, tls = 0] = await freePorts(2)
  const image = new RabbitMQContainer(RABBITMQ_IMAGE)
    .withExposedPorts({ container: 5672, host: amqp }, { container: 5671, host: tls })
    .withCopyContentToContainer([
      { content: `[${(options.plugins ?? []).join(',')}].\n`, target: '/etc/rabbitmq/enabled_plugins' },
      { content: rabbitMqConf(options), target: '/etc/rabbitmq/conf.d/90-patchbay.conf' },
    ])
    .withWaitStrategy(Wait.forLogMessage('Server startup complete'))
    .withStartupTimeout(START_TIMEOUT_MS)
    .withAutoRemove(false)
  const folder = options.tls && dirname(options.tls.caFile)
  if (folder !== undefined) image.withBindMounts([{ source: folder, target: folder, mode: 'ro' }])
  const container = await image.start()
  const host = container.getHost()
  return {
    url: `amqp://guest:guest@${host}:${amqp}`,
    port: amqp,
    tlsUrl: options.tls && `amqps://guest:guest@localhost:${tls}`,
    pid: undefined,
    control: { kind: 'container', id: container.getId() },
    ctl: (...args) => containerRabbitMqCtl(container.getId(), args),
    ...(await lifeOf(container, amqp, AMQP_HELLO)),
  }
}

/** NATS from its image, on a fixed port. */
export async function startNatsContainer(options: TestNatsOptions): Promise<TestNats> {
  const [port = 0] = await freePorts(1)
  const lines = ['listen: 0.0.0.0:4222', `server_name: patchbay-${port}`]
  if (options.jetstream ?? true) lines.push('jetstream { store_dir: "/data" }')
  if (options.extraConfig !== undefined) lines.push(options.extraConfig)
  const image = new GenericContainer(NATS_IMAGE)
    .withExposedPorts({ container: 4222, host: port })
    .withCopyContentToContainer([{ content: `${lines.join('\n')}\n`, target: '/patchbay.conf' }])
    .withCommand(['-c', '/patchbay.conf'])
    .withWaitStrategy(Wait.forLogMessage('Server is ready'))
    .withStartupTimeout(START_TIMEOUT_MS)
    .withAutoRemove(false)
  if (options.mount !== undefined) image.withBindMounts([{ source: options.mount, target: options.mount, mode: 'ro' }])
  const container = await image.start()
  const life = await lifeOf(container, port, '')
  return { url: `nats://${container.getHost()}:${port}`, port, pid: undefined, ...life }
}

/** Runs a Ruby script on one input text in a container of its own and gives what it printed. */
export async function runRubyContainer(script: string, input: string): Promise<string> {
  const container = await new GenericContainer(RUBY_IMAGE)
    .withCopyContentToContainer([
      { content: script, target: '/script.rb' },
      { content: input, target: '/input.json' },
    ])
    .withCommand(['sleep', 'infinity'])
    .start()
  try {
    const { exitCode, stdout, stderr } = await container.exec(['ruby', '/script.rb', '/input.json'])
    if (exitCode !== 0) throw new Error(`ruby failed: ${stderr}`)
    return stdout
  } finally {
    await container.stop()
  }
}
