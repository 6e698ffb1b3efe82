import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server, type TlsOptions } from 'node:tls'
import { connect as connectNats } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { formatFault, parseConfig } from '../../src/config/index.js'
import { type OpenedGateway, openGateway } from '../../src/gateway/open.js'
import {
  type Certificates,
  makeCertificates,
  startAsterisk,
  startFaultProxy,
  startNats,
  startRabbitMq,
  type TestAsterisk,
  type TestNats,
  type TestRabbitMq,
} from '../harness/index.js'

const PASSWORD = 's3same-of-the-gateway'
const WRONG = 'wr0ng-password'

let certificates: Certificates
let strangers: Certificates
let ended: Certificates['client']
let rabbitMq: TestRabbitMq
/** Users with few permissions; over TLS, with a certificate of both sides; the same with one that has ended. */
let nats: { readonly users: TestNats; readonly secure: TestNats; readonly ended: TestNats }
let asterisk: TestAsterisk
/** A server in front of the plain port of Asterisk and RabbitMQ that shows a good certificate, and one that shows an ended one. */
let fronts: { readonly good: Front; readonly ended: Front }
let folder: string

interface Front {
  readonly port: number
  close(): void
}

/** Speaks TLS and passes on what comes to a plain port. */
async function startFront(to: number, options: TlsOptions): Promise<Front> {
  const server: Server = createServer(options, (client) => {
    const target = connect(to, '127.0.0.1')
    client.pipe(target).pipe(client)
    for (const [one, other] of [[client, target] as const, [target, client] as const]) {
      one.on('error', () => undefined)
      one.on('close', () => other.destroy())
    }
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() } // it listens on TCP
}

const natsTls = ({ certFile, keyFile }: Certificates['client']) =>
  `tls { cert_file: "${certFile}", key_file: "${keyFile}", ca_file: "${certificates.caFile}", verify: true }`

const NATS_USERS = `authorization { users: [
  { user: gw, password: "${PASSWORD}" }
  { user: mute, password: "${PASSWORD}", permissions: { publish: ["_INBOX.>"], subscribe: [">"] } }
  { user: deaf, password: "${PASSWORD}", permissions: { publish: [">"], subscribe: ["_INBOX.>"] } } ] }`

/** Users of RabbitMQ, each with what it may configure, write and read; one without any vhost. */
async function addUsers(): Promise<void> {
  const add = (name: string) => `ok = rabbit_auth_backend_internal:add_user(<<"${name}">>, <<"${PASSWORD}">>, <<"t">>)`
  const allow = (name: string, rights: readonly string[]) => {
    const [configure, write, read] = rights.map((right) => `<<"${right}">>`)
    return `ok = rabbit_auth_backend_internal:set_permissions(<<"${name}">>, <<"/">>, ${configure}, ${write}, ${read}, <<"t">>)`
  }
  const users = [add('stranger')]
  for (const [name, ...rights] of [
    ['reader', '', '', '.*'],
    ['deaf', '.*', '.*', '^(voice_.*|patchbay.dead-letters)$'],
    ['mute', '.*', '^patchbay', '.*'],
  ] as const) {
    users.push(add(name), allow(name, rights))
  }
  await rabbitMq.ctl('eval', `${users.join(', ')}.`)
}

beforeAll(async () => {
  certificates = makeCertificates()
  strangers = makeCertificates()
  ended = certificates.issue('client', -1)
  folder = mkdtempSync(join(tmpdir(), 'patchbay-refusals-'))
  const { caFile, server, folder: mount } = certificates
  const [users, secure, past] = await Promise.all([
    startNats({ extraConfig: NATS_USERS }),
    startNats({ extraConfig: natsTls(server), mount }),
    startNats({ extraConfig: natsTls(ended), mount }),
  ])
  nats = { users, secure, ended: past }
  ;[rabbitMq, asterisk] = await Promise.all([startRabbitMq({ tls: { caFile, ...server } }), startAsterisk()])
  const pem = (pair: Certificates['client']) => ({ cert: text(pair.certFile), key: text(pair.keyFile) })
  fronts = {
    good: await startFront(asterisk.httpPort, { ...pem(server), ca: text(caFile), requestCert: true }),
    ended: await startFront(asterisk.httpPort, pem(ended)),
  }
  await addUsers()
})
afterAll(async () => {
  for (const front of Object.values(fronts)) front.close()
  await Promise.all([rabbitMq, asterisk, ...Object.values(nats)].map((server) => server.stop()))
  certificates.remove()
  strangers.remove()
  rmSync(folder, { recursive: true })
})

const text = (file: string) => readFileSync(file, 'utf8')

let opened: OpenedGateway | undefined
afterEach(async () => {
  await opened?.gateway.stop()
  opened = undefined
})

/** Runs a gateway between a link that is refused and a bus that is fine, and gives the lines of its log. */
function run(link: string, routes = '{ from: refused, to: fine }'): string[] {
  const yaml = `
group: gw
reload: { everyMs: 50 }
links:
  refused: ${link}
  fine: { type: nats, dialect: xcc, servers: ['${inject('natsUrl')}'], node: { uuid: fine, register: false } }
routes: [${routes}]
`
  const file = join(folder, 'patchbay.yaml')
  writeFileSync(file, yaml)
  const loaded = parseConfig(yaml, file, {})
  if (loaded.faults !== undefined) throw new Error(loaded.faults.map(formatFault).join('\n'))
  const lines: string[] = []
  const made = openGateway(loaded.config, loaded.source, {
    version: '0.0.0',
    file: { file, env: {}, text: yaml },
    sink: { write: (line) => void lines.push(line) },
  })
  if (made.faults !== undefined) throw new Error(made.faults.map(formatFault).join('\n'))
  opened = made
  made.gateway.start().catch((error: unknown) => lines.push(`did not start: ${String(error)}`))
  return lines
}

const health = () => opened?.health.read().links.refused
const isReady = () => health()?.ready
const errors = (lines: readonly string[]) => lines.filter((line) => /"level":[56]0|did not start/.test(line))

async function tries(): Promise<number> {
  const all = (await opened?.metrics.text()) ?? ''
  return Number(/^gateway_link_reconnects_total\{link="refused"\} (\d+)/m.exec(all)?.[1] ?? 0)
}

interface Refusal {
  readonly name: string
  readonly link: () => string
  readonly says: RegExp
  /** Where the link is to lead, if it is not to be taken from. */
  readonly routes?: string
}

const QUICK = 'reconnect: { minDelayMs: 20, maxDelayMs: 50 }'
const tls = (pair: Certificates['client'], { caFile }: Certificates = certificates) =>
  `tls: { ca: { file: ${caFile} }, cert: { file: ${pair.certFile} }, key: { file: ${pair.keyFile} } }`

const amqp = (more: string, url = `amqp://127.0.0.1:${rabbitMq.port}`, user = 'guest', password = 'guest') =>
  `{ type: amqp, dialect: voice-events, url: '${url}', username: ${user}, password: ${password}, queue: { type: classic }, ${QUICK}, ${more} }`
const amqps = (more: string) => amqp(more, `amqps://localhost:${new URL(rabbitMq.tlsUrl ?? '').port}`)
const asUser = (user: string) => amqp('', undefined, user, PASSWORD)

const bus = (server: TestNats, more: string, scheme = 'nats') =>
  `{ type: nats, dialect: xcc, servers: ['${scheme}://localhost:${server.port}'], connect: { minDelayMs: 20, maxDelayMs: 50 }, ${more} }`
const login = (user: string, password = PASSWORD) => `username: ${user}, password: ${password}`

const ari = (url: string, more: string, user = asterisk.user, password = asterisk.password) =>
  `{ type: ari, dialect: stasis, url: '${url}', username: ${user}, password: ${password}, ${QUICK}, ${more} }`
const https = ({ port }: Front) => `https://localhost:${port}`

const refusals: readonly Refusal[] = [
  {
    name: 'amqp: a server whose CA is another',
    link: () => amqps(tls(certificates.client, strangers)),
    says: /cannot open amqps:\/\/localhost:\d+: TLS failed with \w+; .* our `tls.ca` does not vouch/,
  },
  {
    name: 'amqp: a server whose certificate has ended',
    link: () => amqp(tls(certificates.client), `amqps://localhost:${fronts.ended.port}`),
    says: /TLS failed with CERT_HAS_EXPIRED; .* the peer's certificate has ended/,
  },
  {
    name: 'amqp: our certificate has ended',
    link: () => amqps(tls(ended)),
    says: /TLS failed with .*CERTIFICATE_EXPIRED; .* our certificate has ended/,
  },
  {
    name: 'amqp: a wrong password',
    link: () => amqp('', undefined, 'guest', WRONG),
    says: /the broker refuses user and password; correct the credentials/,
  },
  {
    name: 'amqp: a vhost that the user may not use',
    link: () => asUser('stranger'),
    says: /the broker refuses the vhost; check that it exists and that the user may use it/,
  },
  {
    name: 'amqp: an exchange that the user may not declare',
    link: () => asUser('reader'),
    says: /cannot declare exchange .*ACCESS[-_]REFUSED/,
  },
  {
    name: 'amqp: a queue that the user may not read',
    link: () => asUser('deaf'),
    says: /cannot consume queue "patchbay\.gw\.refused".*ACCESS[-_]REFUSED/,
  },
  {
    name: 'nats: a server whose CA is another',
    link: () => bus(nats.secure, tls(certificates.client, strangers), 'tls'),
    says: /cannot open tls:\/\/localhost:\d+: TLS failed with \w+; .* our `tls.ca` does not vouch/,
  },
  {
    name: 'nats: a server whose certificate has ended',
    link: () => bus(nats.ended, tls(certificates.client), 'tls'),
    says: /TLS failed with CERT_HAS_EXPIRED; .* the peer's certificate has ended/,
  },
  {
    name: 'nats: our certificate has ended',
    link: () => bus(nats.secure, tls(ended), 'tls'),
    says: /TLS failed with \w+; check/,
  },
  {
    name: 'nats: a wrong password',
    link: () => bus(nats.users, login('gw', WRONG)),
    says: /the server refuses our credentials; correct user and password/,
  },
  {
    name: 'nats: subjects that the user may not subscribe to',
    link: () => bus(nats.users, `${login('deaf')}, observe: [cn.xswitch.ctrl]`),
    says: /the server forbids subscribing to "cn\.xswitch\.ctrl"/,
  },
  {
    name: 'ari: a server whose CA is another',
    link: () => ari(https(fronts.good), tls(certificates.client, strangers)),
    says: /cannot open https:\/\/localhost:\d+: TLS failed with \w+; .* our `tls.ca` does not vouch/,
  },
  {
    name: 'ari: a server whose certificate has ended',
    link: () => ari(https(fronts.ended), tls(certificates.client)),
    says: /TLS failed with CERT_HAS_EXPIRED; .* the peer's certificate has ended/,
  },
  {
    name: 'ari: a wrong password',
    link: () => ari(asterisk.url, '', undefined, WRONG),
    says: /the server refuses user and password/,
  },
  {
    name: 'ari: a user who may only read',
    link: () => ari(asterisk.url, '', asterisk.readOnlyUser, asterisk.readOnlyPassword),
    says: /the user may not do that; is it read-only\?/,
  },
]

describe('what no retry can mend', () => {
  for (const { name, link, says, routes } of refusals) {
    test(`${name}: one line says so, and the readiness names the link`, async () => {
      const lines = run(link(), routes)
      await expect.poll(() => health()?.reason).toMatch(says)
      if (!name.includes('subscribe')) await expect.poll(tries).toBeGreaterThanOrEqual(3)
      expect(health()).toMatchObject({ ready: false, reason: expect.stringMatching(says) })
      expect(opened?.health.read()).toMatchObject({ ready: false, links: { fine: { ready: true } } })
      const told = errors(lines)
      expect(told).toEqual([expect.stringContaining('"link":"refused"')])
      expect(JSON.parse(told[0]!).err.message).toMatch(says)
      for (const secret of [PASSWORD, WRONG, asterisk.password, asterisk.readOnlyPassword, 'BEGIN'])
        expect(lines.join('\n')).not.toContain(secret)
    })
  }
})

describe('what shows only when something is said', () => {
  const event = { jsonrpc: '2.0', method: 'Event.Channel', params: { node_uuid: 'n', uuid: 'c1', state: 'RINGING' } }

  /** Has something to say to the link that is refused. */
  async function sayOnTheBus(): Promise<void> {
    const client = await connectNats({ servers: inject('natsUrl') })
    client.publish('cn.xswitch.ctrl', JSON.stringify(event))
    await client.drain()
  }

  const forbidden: readonly Refusal[] = [
    {
      name: 'amqp: an exchange that the user may not write to',
      link: () => asUser('mute'),
      says: /the broker forbids publishing to exchange "voice_events"; give the user permission to write there/,
    },
    {
      name: 'nats: a subject that the user may not publish to',
      link: () => bus(nats.users, `${login('mute')}, node: { register: false }`),
      says: /the server forbids publishing to "cn\.xswitch\.ctrl"/,
    },
  ]
  for (const { name, link, says } of forbidden) {
    test(`${name}: one line says so, and the readiness names the link`, async () => {
      const lines = run(link(), '{ from: fine, to: refused, sync: { ask: false } }')
      await expect.poll(() => opened?.health.read().ready).toBe(true)
      await sayOnTheBus()
      await sayOnTheBus()
      await expect.poll(health).toMatchObject({ ready: false, reason: expect.stringMatching(says) })
      const told = lines.filter((line) => line.includes('"link fault"'))
      expect(told).toEqual([expect.stringContaining('"link":"refused"')])
      expect(lines.join('\n')).not.toContain(PASSWORD)
    })
  }
})

test('a password that is put right in its file is taken without a start, and a wrong one tells on the next connection', async () => {
  const proxy = await startFaultProxy(nats.users.port)
  onTestFinished(() => proxy.close())
  const password = join(folder, 'password')
  writeFileSync(password, WRONG)
  const options = `username: gw, password: { file: ${password} }, connect: { minDelayMs: 20, maxDelayMs: 50 }, reconnectWaitMs: 50`
  const lines = run(`{ type: nats, dialect: xcc, servers: ['nats://127.0.0.1:${proxy.port}'], ${options} }`)
  const refused = expect.stringMatching(/the server refuses our credentials/)
  await expect.poll(health).toMatchObject({ ready: false, reason: refused })
  writeFileSync(password, PASSWORD)
  await expect.poll(isReady).toBe(true)
  writeFileSync(password, WRONG)
  await expect.poll(() => lines.filter((line) => line.includes('"secrets renewed"')).length).toBe(2)
  expect(isReady()).toBe(true)
  proxy.cut()
  await expect.poll(health).toMatchObject({ ready: false, reason: refused })
  writeFileSync(password, PASSWORD)
  await expect.poll(isReady).toBe(true)
  expect(errors(lines)).toHaveLength(2)
  for (const secret of [PASSWORD, WRONG]) expect(lines.join('\n')).not.toContain(secret)
})
