import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nkeys } from '@nats-io/nats-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { formatFault, parseConfig, secretValues } from '../../src/config/index.js'
import { openGateway } from '../../src/gateway/open.js'
import { patchbay } from '../cli/run.js'
import { type Certificates, makeCertificates, startNats, type TestNats } from '../harness/index.js'
import { until } from '../integration/site.js'
import { freshSecret, noteLine, noteSecret } from '../tools/run-logs.js'
import { type FakeAsterisk, startFakeAsterisk } from '../transports/ari-client/fake-asterisk.js'

const pair = nkeys.createUser()
const SEED = Buffer.from(pair.getSeed()).toString()
/** Characters by which what is written about a password may be cut in the wrong place. */
const ODD = `p/"a\\s'@s%41 ${freshSecret('odd')}`
const CREDS = [
  '-----BEGIN NATS USER JWT-----',
  freshSecret('jwt'),
  '------END NATS USER JWT------',
  '-----BEGIN USER NKEY SEED-----',
  SEED,
  '------END USER NKEY SEED------',
  '',
].join('\n')

let nats: TestNats
let asterisk: FakeAsterisk
let certificates: Certificates
let folder: string

beforeAll(async () => {
  for (const secret of [SEED, ODD]) noteSecret(secret)
  const known = `authorization { users: [{ user: gw, password: "${freshSecret('nats')}" }] }`
  nats = await startNats({ extraConfig: known })
  asterisk = await startFakeAsterisk()
  asterisk.answer = () => ({ status: 401, body: { message: 'Authentication required' } })
  certificates = makeCertificates()
  folder = mkdtempSync(join(tmpdir(), 'patchbay-redaction-'))
  writeFileSync(join(folder, 'creds'), CREDS)
})
afterAll(async () => {
  await nats.stop()
  await asterisk.stop()
  certificates.remove()
  rmSync(folder, { recursive: true })
})

/** Ways in which a secret may show. */
function formsOf(secret: string): string[] {
  const parts = secret.split('\n').filter((part) => part.length > 8 && !part.startsWith('---'))
  return parts.flatMap((part) => [part, JSON.stringify(part).slice(1, -1), encodeURIComponent(part)])
}

const shown = (text: string, secrets: readonly string[]) =>
  secrets.flatMap(formsOf).filter((form) => text.includes(form))

interface Peer {
  readonly name: string
  /** What the link cannot be opened with. */
  readonly secrets: () => readonly string[]
  readonly link: () => object
  /** The dialect of the link. Default xcc. */
  readonly dialect?: string
}

const amqpHost = () => new URL(inject('amqpUrl')).host
const natsLink = (login: object) => ({ type: 'nats', dialect: 'xcc', servers: [nats.url], ...login })
const once = <T>(make: () => T) => {
  let made: T | undefined
  return () => (made ??= make())
}
const password = once(() => freshSecret('password'))

const PEERS: readonly Peer[] = [
  {
    name: 'a password of AMQP that is refused',
    secrets: () => [password()],
    dialect: 'voice-events',
    link: () => ({ type: 'amqp', url: `amqp://${amqpHost()}`, username: 'guest', password: password() }),
  },
  {
    name: 'a password of AMQP with odd characters',
    secrets: () => [ODD],
    dialect: 'voice-events',
    link: () => ({ type: 'amqp', url: `amqp://${amqpHost()}`, username: 'guest', password: ODD }),
  },
  {
    name: 'a password in an address of AMQP',
    secrets: () => [password()],
    dialect: 'voice-events',
    link: () => ({ type: 'amqp', url: `amqp://guest:x'"@${password()}@${amqpHost()}` }),
  },
  {
    name: 'a password in an address of AMQP that nobody can be reached at',
    secrets: () => [password()],
    dialect: 'voice-events',
    link: () => ({ type: 'amqp', url: `amqp://guest:${password()}@127.0.0.1:99999` }),
  },
  {
    name: 'a key and its passphrase',
    secrets: () => [password(), certificates.read(certificates.client.keyFile).toString()],
    dialect: 'voice-events',
    link: () => ({
      type: 'amqp',
      url: `amqps://${amqpHost()}`,
      tls: {
        ca: { file: certificates.caFile },
        cert: { file: certificates.client.certFile },
        key: { file: certificates.client.keyFile },
        passphrase: password(),
      },
    }),
  },
  {
    name: 'a password of NATS',
    secrets: () => [ODD],
    link: () => natsLink({ username: 'gw', password: ODD }),
  },
  { name: 'a token of NATS', secrets: () => [password()], link: () => natsLink({ token: password() }) },
  { name: 'a seed of NATS', secrets: () => [SEED], link: () => natsLink({ nkeySeed: SEED }) },
  { name: 'creds of NATS', secrets: () => [CREDS], link: () => natsLink({ creds: { file: join(folder, 'creds') } }) },
  {
    name: 'a password of ARI',
    secrets: () => [ODD],
    dialect: 'stasis',
    link: () => ({ type: 'ari', url: asterisk.url, username: 'patchbay', password: ODD }),
  },
]

/** Configurations are written as JSON, which is YAML as well. */
function configuration(peer: Peer, log: object, user: string): string {
  const { dialect = 'xcc', link } = peer
  return JSON.stringify({
    group: 'gw',
    log,
    admin: { token: user },
    links: {
      peer: { dialect, ...link(), reconnect: undefined },
      apps: { type: 'ari-server', dialect: 'stasis', port: 0, users: [{ name: 'crm', password: user }] },
    },
    routes: [{ from: 'peer', to: 'apps' }],
  })
}

/** What is told at `warn` and `error` is told at `info` as well; a text is made of the JSON. */
const LOGS = [
  { level: 'debug', format: 'json' },
  { level: 'info', format: 'text' },
  { level: 'error', format: 'json' },
] as const

test.each(PEERS)('no log tells $name', async (peer) => {
  const secrets = [...peer.secrets(), freshSecret('application')]
  for (const log of LOGS) {
    const loaded = parseConfig(configuration(peer, log, secrets.at(-1)!), join(folder, 'patchbay.yaml'), {})
    if (loaded.faults !== undefined) throw new Error(loaded.faults.map(formatFault).join('\n'))
    const lines: string[] = []
    const write = (line: string) => {
      lines.push(line)
      noteLine(line)
    }
    const opened = openGateway(loaded.config, loaded.source, { version: '0', sink: { write } })
    if (opened.faults !== undefined) throw new Error(opened.faults.map(formatFault).join('\n'))
    const { gateway, health } = opened
    // As `patchbay run` tells it.
    gateway.start().catch((error: unknown) => opened.log.error('the gateway cannot run', { err: error }))
    await until(
      () => lines.some((line) => line.includes('link.')),
      () => `nothing was told of the fault:\n${lines.join('')}`,
    )
    await gateway.stop()
    const told = [...lines, JSON.stringify(health.read()), JSON.stringify(gateway.reloading.status())].join('\n')
    expect(shown(told, secrets), `${log.level}, ${log.format}`).toEqual([])
  }
})

test('each kind of secret of a configuration is known as one', () => {
  for (const peer of PEERS) {
    const text = configuration(peer, {}, 'of-an-application')
    const { config } = parseConfig(text, join(folder, 'patchbay.yaml'), {})
    const known = secretValues(config!).join('\n')
    for (const secret of [...peer.secrets(), 'of-an-application']) expect(known, peer.name).toContain(secret.trimEnd())
  }
})

const SECRET = once(() => freshSecret('check'))
const legacy = (more: string) =>
  `group: gw\nlinks:\n  a: { type: amqp, dialect: voice-events, ${more} }\n  b: { type: nats, dialect: xcc, servers: ['nats://h'] }\nroutes: [{ from: a, to: b }]\n`
const bus = (more: string) =>
  `group: gw\nlinks:\n  a: { type: nats, dialect: xcc, ${more} }\n  b: { type: amqp, dialect: voice-events, url: 'amqp://u:p@h' }\nroutes: [{ from: a, to: b }]\n`

/** Configurations with a fault beside a secret, or in it. `§` stands for the secret. */
const FAULTY: readonly { name: string; text: string }[] = [
  { name: 'an address with a blank', text: legacy(`url: 'amqp://u:§@h h'`) },
  { name: 'an address of another scheme', text: legacy(`url: 'http://u:§@h'`) },
  { name: 'credentials where none may stand', text: bus(`servers: ['nats://u:§@h']`) },
  { name: 'a slash in a password of an address', text: legacy(`url: 'amqp://u:x/§@h'`) },
  { name: 'a password that is a list', text: legacy(`url: 'amqp://h', username: u, password: [§]`) },
  { name: 'a password in an unknown form', text: legacy(`url: 'amqp://h', username: u, password: { value: § }`) },
  { name: 'a mistyped key', text: legacy(`url: 'amqp://h', username: u, pasword: §`) },
  { name: 'a password without a user', text: legacy(`url: 'amqp://h', password: §`) },
  { name: 'a key that is no PEM', text: legacy(`url: 'amqp://u:p@h', tls: { cert: §, key: § }`) },
  { name: 'two ways to log in', text: bus(`servers: ['nats://h'], token: §, nkeySeed: §`) },
  { name: 'a quote that is not closed', text: legacy(`url: 'amqp://h', username: u, password: "§`) },
  { name: 'a character that YAML does not let begin', text: legacy(`url: 'amqp://h', username: u, password: @§`) },
  { name: 'a variable that cannot be read', text: legacy(`url: 'amqp://h', username: u, password: '\${A §'`) },
  { name: 'a tag', text: legacy(`url: 'amqp://h', username: u, password: !secret §`) },
  { name: 'a secret that stands twice', text: legacy(`url: 'amqp://h', username: u, password: §, password: §`) },
]

test.each(FAULTY)('`patchbay check` tells no secret of $name', async ({ text }) => {
  const file = join(folder, 'faulty.yaml')
  writeFileSync(file, text.replaceAll('§', SECRET()))
  const { code, out, err } = await patchbay(['check', '-c', file])
  const told = [out.toString(), ...err].join('\n')
  expect(code, told).toBe(1)
  expect(told).toContain('faulty.yaml:')
  expect(shown(told, [SECRET()])).toEqual([])
})
