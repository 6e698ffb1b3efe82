import { X509Certificate } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import { connect as connectNats } from '@nats-io/transport-node'
import { connect as connectAmqp } from 'amqplib'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../src/cli/private-brokers/index.js'
import { ariTransport } from '../../src/transports/ari-client/index.js'
import { type GatewayProcess, runGateway } from '../faults/gateway-process.js'
import { type Heard, readHeard } from '../faults/heard.js'
import { callState } from '../faults/legacy-load.js'
import { legacyPublisher } from '../faults/legacy-publisher.js'
import {
  type Certificates,
  type FaultProxy,
  makeCertificates,
  outboundFiles,
  startAsterisk,
  startFaultProxy,
  startNats,
  startRabbitMq,
  type TestAsterisk,
  type TestNats,
  type TestRabbitMq,
} from '../harness/index.js'
import { recorder } from '../transports/recorder.js'

/** Whom RabbitMQ knows the gateway as, by the name in its certificate alone. */
const USER = 'guest'
const LISTEN_PASSWORD = 'sesame-of-asterisk'

/** The authority that all trust at first, and the one that takes over from it. */
let before: Certificates
let after: Certificates
/** What the gateway shows at the end. */
let ours: Pair
let rabbitMq: TestRabbitMq
let nats: TestNats
let asterisk: TestAsterisk
let ways: { readonly amqp: FaultProxy; readonly nats: FaultProxy; readonly events: FaultProxy }
let gateway: GatewayProcess
let httpsPort: number
const ends: (() => Promise<unknown> | unknown)[] = []

type Pair = Certificates['client']

const text = (file: string) => readFileSync(file, 'utf8')
const keys = ({ certFile, keyFile }: Pair) => ({ 'gw.pem': text(certFile), 'gw.key': text(keyFile) })
const endOf = ({ certFile }: Pair) => Date.parse(new X509Certificate(text(certFile)).validTo) / 1000

/** Both authorities, as a site has them while it goes over from one to the other. */
const both = () => text(before.caFile) + text(after.caFile)

const CLIENT_TLS = `tls_enabled = yes
ca_list_file = /srv/etc/ca.pem
cert_file = /srv/etc/client.pem
priv_key_file = /srv/etc/client.key
verify_server_cert = yes
verify_server_hostname = no
`

function asteriskFiles(tlsPort: number, eventsPort: number): Readonly<Record<string, string>> {
  return {
    'http.conf': `
tlsenable = yes
tlsbindaddr = 127.0.0.1:${tlsPort}
tlscertfile = /srv/etc/server.pem
tlsprivatekey = /srv/etc/server.key
`,
    ...outboundFiles(`wss://127.0.0.1:${eventsPort}/`, { username: 'pbx', password: LISTEN_PASSWORD }, CLIENT_TLS),
    'server.pem': text(before.server.certFile),
    'server.key': text(before.server.keyFile),
    'client.pem': text(before.client.certFile),
    'client.key': text(before.client.keyFile),
    'ca.pem': both(),
  }
}

const TLS = 'tls: { ca: { file: ca.pem }, cert: { file: gw.pem }, key: { file: gw.key } }'

const configuration = (listenPort: number) => `
group: gw
sync: { publisher: none }
reload: { everyMs: 50 }
links:
  legacy: { type: amqp, dialect: voice-events, url: 'amqps://localhost:${ways.amqp.port}', queue: { type: classic }, reconnect: { minDelayMs: 50, maxDelayMs: 300 }, ${TLS} }
  bus: { type: nats, dialect: xcc, servers: ['tls://localhost:${ways.nats.port}'], deliver: jetstream, reconnectWaitMs: 100, ${TLS} }
  pbx:
    type: ari
    dialect: stasis
    url: 'https://localhost:${httpsPort}'
    username: ${asterisk.user}
    password: { file: ari-password }
    tls: { ca: { file: ca.pem } }
    listen: { port: ${listenPort}, username: pbx, password: { file: listen-password }, ${TLS} }
routes:
  - { from: legacy, to: bus }
  - { from: pbx, to: bus, loopback: true }
  - { from: pbx, to: legacy, loopback: true }
`

beforeAll(async () => {
  before = makeCertificates()
  after = makeCertificates()
  const bundle = join(before.folder, 'both.pem')
  writeFileSync(bundle, both())
  const { certFile, keyFile } = before.server
  const [secured = 0, listenPort = 0] = await freePorts(2)
  httpsPort = secured
  const events = await startFaultProxy(listenPort)
  ;[rabbitMq, nats, asterisk] = await Promise.all([
    startRabbitMq({
      tls: { caFile: bundle, certFile, keyFile },
      plugins: ['rabbitmq_auth_mechanism_ssl'],
      extraConfig: ['auth_mechanisms.1 = PLAIN', 'auth_mechanisms.2 = EXTERNAL', 'ssl_cert_login_from = common_name'],
    }),
    startNats({
      extraConfig: `tls { cert_file: "${certFile}", key_file: "${keyFile}", ca_file: "${bundle}", verify: true }`,
      mount: before.folder,
    }),
    startAsterisk({ append: asteriskFiles(httpsPort, events.port) }),
  ])
  const amqpsPort = Number(new URL(rabbitMq.tlsUrl ?? '').port)
  ways = { amqp: await startFaultProxy(amqpsPort), nats: await startFaultProxy(nats.port), events }
  gateway = await runGateway(configuration(listenPort), [], {
    'ca.pem': text(before.caFile),
    ...keys(before.issue(USER)),
    'ari-password': asterisk.password,
    'listen-password': LISTEN_PASSWORD,
  })
  ends.push(() => gateway.remove(), ...Object.values(ways).map((way) => () => way.close()))
  ends.push(() => Promise.all([rabbitMq.stop(), nats.stop(), asterisk.stop()]))
  ends.push(before.remove, after.remove)
  await gateway.untilReady()
})
afterAll(async () => {
  for (const end of ends) await end()
})

/** What controllers are told, in the order of the stream. */
async function heardOnTheBus(): Promise<Heard[]> {
  const { caFile, client } = after
  const tls = { ca: text(caFile), cert: text(client.certFile), key: text(client.keyFile) }
  const connection = await connectNats({ servers: `tls://localhost:${nats.port}`, tls })
  try {
    const client = jetstream(connection)
    const { state } = await (await client.jetstreamManager()).streams.info('PATCHBAY')
    const consumer = await client.consumers.get('PATCHBAY', {})
    const heard: Heard[] = []
    for await (const message of await consumer.fetch({ max_messages: state.messages, expires: 10_000 })) {
      const one = readHeard(message.string(), message.headers?.get('Nats-Msg-Id') ?? '')
      if (one !== undefined) heard.push(one)
    }
    return heard
  } finally {
    await connection.close()
  }
}

/** Everything that is said on the legacy side from now on. */
async function listenToLegacy(): Promise<string[]> {
  const model = await connectAmqp(rabbitMq.url)
  ends.unshift(() => model.close())
  const channel = await model.createChannel()
  const { queue } = await channel.assertQueue('', { exclusive: true })
  await channel.bindQueue(queue, 'voice_events', '#')
  const bodies: string[] = []
  await channel.consume(queue, (message) => message && bodies.push(String(message.content)), { noAck: true })
  return bodies
}

/** Publishes numbered calls until it is told to stop, and then says how many there were. */
function steadyStream(): { stop(): Promise<number> } {
  const publisher = legacyPublisher([rabbitMq.url])
  let isOver = false
  const publishing = (async () => {
    for (let at = 0; ; at++) {
      if (isOver) return at
      await publisher.publish(callState(`call-${at}`, 'RINGING', at), `message-${at}`)
      await delay(5)
    }
  })()
  return {
    async stop() {
      isOver = true
      const count = await publishing
      await publisher.close()
      return count
    },
  }
}

async function makeCall(channelId: string): Promise<void> {
  const call = { endpoint: 'Local/wait-0.5@services', context: 'services', extension: 'in-patchbay', priority: 1 }
  await asterisk.ari('POST', '/channels', { ...call, channelId, otherChannelId: `${channelId}-far` })
}

const said = (message: string) => gateway.lines.filter((line) => line.includes(`"msg":"${message}"`))
const sentToBus = () => gateway.metric('gateway_sent_messages_total', { link: 'bus' })

test('messages go over three links on which both sides show a certificate, while all of these are renewed, and none is lost', async () => {
  const legacy = await listenToLegacy()
  const stream = steadyStream()
  await makeCall('call-before')
  await expect.poll(() => legacy.join('')).toContain('call-before')

  // A new authority for everybody. What is half written is not taken.
  ours = after.issue(USER, 2)
  const fresh = keys(ours)
  gateway.write({ 'gw.key': fresh['gw.key'] })
  await expect.poll(() => said('secrets refused: the ones before stay').join('')).toContain('no pair that can be used')
  gateway.write({ ...fresh, 'ca.pem': both() })
  await expect.poll(() => said('secrets renewed').length).toBe(3)
  expect((await gateway.json<{ ready: boolean }>('/readyz')).ready).toBe(true)
  for (const part of ['certFile', 'keyFile'] as const) copyFileSync(after.server[part], before.server[part])
  process.kill(nats.pid ?? 0, 'SIGHUP')
  await rabbitMq.ctl('eval', 'ssl:clear_pem_cache().')
  const sentBefore = await sentToBus()
  for (const way of Object.values(ways)) way.cut()
  await expect.poll(sentToBus).toBeGreaterThan(sentBefore + 50)
  await gateway.untilReady()
  await makeCall('call-after')
  await expect.poll(() => legacy.join('')).toContain('call-after')

  const count = await stream.stop()
  const ringing = async () => (await heardOnTheBus()).filter(({ word }) => word === 'RINGING')
  const numbers = async () => (await ringing()).flatMap(({ sequence }) => sequence ?? [])
  await expect.poll(async () => (await numbers()).length).toBeGreaterThanOrEqual(count)
  expect(await numbers()).toEqual(Array.from({ length: count }, (_, at) => at))
  const entities = new Set((await heardOnTheBus()).map(({ entity }) => entity))
  expect([...entities]).toEqual(expect.arrayContaining(['call-before', 'call-after']))
})

test('afterwards every peer is shown the new certificate', async () => {
  const table = await rabbitMq.ctl('list_connections', 'user', 'peer_cert_subject', 'peer_cert_validity')
  const secured = table.split('\n').filter((line) => line.includes('CN='))
  const until = new Date(endOf(ours) * 1000).toISOString().replace('.000', '')
  expect(secured).toHaveLength(2)
  for (const line of secured) expect(line).toMatch(new RegExp(`^${USER}\\s+CN=${USER}\\s.* - ${until}`))
  // The earliest of ours, two days from now, and of the peer's, one day from now.
  for (const link of ['legacy', 'bus']) {
    expect(await gateway.metric('gateway_certificate_expiry_seconds', { link })).toBe(endOf(after.server))
  }
})

test('requests and events of an Asterisk also come by its own encrypted port, where we open the socket', async () => {
  const heard = recorder()
  const link = ariTransport({
    url: `https://localhost:${httpsPort}`,
    credentials: { username: asterisk.user, password: asterisk.password },
    app: 'by-our-socket',
    node: 'pbx',
    tls: { ca: text(before.caFile) },
  })
  onTestFinished(() => link.stop())
  await link.start(heard)
  await heard.until('consuming', 1)
  expect(heard.of('certificate')[0]?.until).toBeGreaterThan(Date.now())
  await makeCall('call-by-socket')
  const events = () => heard.deliveries.map(({ frame }) => String(frame.body)).join('')
  await expect.poll(events).toContain('call-by-socket')
})

test('no line of the log holds a secret, and none is an argument of the process', async () => {
  const secrets = [asterisk.password, LISTEN_PASSWORD, 'BEGIN']
  const commandLine = readFileSync(`/proc/${gateway.pid}/cmdline`, 'utf8')
  for (const secret of secrets) expect(`${commandLine}\n${gateway.lines.join('\n')}`).not.toContain(secret)
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toEqual({ code: 0, signal: null })
})
