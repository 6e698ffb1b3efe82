import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '../../src/config/index.js'
import { followSecrets, type Secrets, serverFaults } from '../../src/gateway/secrets.js'
import { createLog, type RootLog } from '../../src/telemetry/index.js'
import { type Certificates, makeCertificates } from '../harness/index.js'

let certificates: Certificates
beforeAll(() => {
  certificates = makeCertificates()
})
afterAll(() => certificates.remove())

let folder: string
let secrets: Secrets | undefined
let log: RootLog
let lines: string[]
let renewed: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-secrets-'))
  lines = []
  renewed = []
})
afterEach(() => {
  secrets?.stop()
  rmSync(folder, { recursive: true })
})

const write = (name: string, text: string | Buffer) => writeFileSync(join(folder, name), text)
const told = (message: string) => lines.filter((line) => line.includes(`"${message}"`))

/** Follows the files of two links; `look` alone makes it look, unless a pace is given. */
function follow(legacy: string, everyMs = 0): Secrets {
  const text = `
group: gw
reload: { everyMs: ${everyMs} }
links:
  legacy: { type: amqp, dialect: voice-events, url: 'amqps://h', ${legacy} }
  bus: { type: nats, dialect: xcc, servers: ['nats://h'], token: { file: token } }
routes: [{ from: legacy, to: bus }]
`
  const file = join(folder, 'patchbay.yaml')
  const { config, faults } = parseConfig(text, file, {})
  expect(faults).toBeUndefined()
  log = createLog({ level: 'info', format: 'json' }, { write: (line) => void lines.push(line) })
  const made = followSecrets({ config: config!, file: { file, env: {}, text }, hide: log.hide, log })
  made.start((link) => void renewed.push(link))
  secrets = made
  return made
}

const PAIR = 'tls: { cert: { file: gw.pem }, key: { file: gw.key } }'

function writePair({ certFile, keyFile }: Certificates['client']): void {
  write('gw.pem', certificates.read(certFile))
  write('gw.key', certificates.read(keyFile))
}

test('a password that was renewed is hidden like the one before, whoever says it', async () => {
  write('token', 'the-first-token')
  const { look } = follow('username: u, password: p')
  write('token', 'the-second-token')
  await look()
  log.error('refused', { reason: 'wrong: the-second-token' })
  expect(told('refused')).toEqual([expect.stringContaining('wrong: ***')])
})

test('a password in a file is taken when the file changes, by the link that names it alone', async () => {
  write('token', 'one\n')
  const { link, look } = follow('username: u, password: p')
  write('token', 'two\n')
  await look()
  expect(link('bus')).toMatchObject({ credentials: { token: 'two' } })
  expect(link('legacy')).toMatchObject({ credentials: { password: 'p' } })
  expect(renewed).toEqual(['bus'])
  await look()
  expect(renewed).toEqual(['bus'])
  expect(lines.join('')).not.toContain('two')
})

test('files that lie behind one link, as those of a mounted Secret do, are found by themselves', async () => {
  mkdirSync(join(folder, '..1'))
  mkdirSync(join(folder, '..2'))
  write('..1/token', 'one')
  write('..2/token', 'two')
  symlinkSync('..1', join(folder, '..data'))
  symlinkSync('..data/token', join(folder, 'token'))
  const { link } = follow('username: u, password: p', 20)
  symlinkSync('..2', join(folder, '..new'))
  renameSync(join(folder, '..new'), join(folder, '..data'))
  await expect.poll(() => link('bus')).toMatchObject({ credentials: { token: 'two' } })
})

test('a certificate whose key is not there yet is not taken, and both are once they are there', async () => {
  write('token', 't')
  writePair(certificates.client)
  const { link, look } = follow(PAIR)
  const before = link('legacy')
  const next = certificates.issue('gw', 2)
  write('gw.pem', certificates.read(next.certFile))
  await look()
  expect(link('legacy')).toBe(before)
  expect(told('secrets refused: the ones before stay')).toHaveLength(1)
  expect(lines[0]).toMatch(/"link":"legacy","reason":"certificate and key are no pair .*KEY_VALUES_MISMATCH/)
  write('gw.key', certificates.read(next.keyFile))
  await look()
  expect(link('legacy')).toMatchObject({ tls: { cert: String(certificates.read(next.certFile)).trimEnd() } })
  expect(renewed).toEqual(['legacy'])
  expect(told('secrets renewed')[0]).toMatch(/"certificateEnds":"\d{4}-/)
  expect(lines.join('')).not.toContain('BEGIN')
})

test('a server of ours whose certificate has another key is a fault of the configuration', () => {
  writePair(certificates.client)
  write('gw.key', certificates.read(certificates.server.keyFile))
  const text = `
group: gw
links:
  apps: { type: ari-server, dialect: stasis, users: [{ name: a, password: b }], ${PAIR} }
  bus: { type: nats, dialect: xcc, servers: ['nats://h'] }
routes: [{ from: bus, to: apps }]
`
  const loaded = parseConfig(text, join(folder, 'patchbay.yaml'), {})
  const found = loaded.faults ?? serverFaults(loaded.config, loaded.source)
  expect(found).toMatchObject([
    { line: 4, code: 'config.value', what: expect.stringMatching(/no pair that can be used/) },
  ])
})

const broken: readonly { readonly name: string; readonly make: () => void; readonly says: RegExp }[] = [
  { name: 'one that has ended', make: () => writePair(certificates.issue('gw', -1)), says: /certificate ended \d{4}-/ },
  {
    name: 'half of one',
    make: () => write('gw.pem', certificates.read(certificates.client.certFile).subarray(0, 200)),
    says: /no pair that can be used/,
  },
  { name: 'no certificate at all', make: () => write('gw.pem', 'soon'), says: /config\.value/ },
  { name: 'an empty file', make: () => write('gw.key', ''), says: /the file gw\.key is empty/ },
  {
    name: 'a file that is gone',
    make: () => rmSync(join(folder, 'gw.key')),
    says: /gw\.key cannot be read \(ENOENT\)/,
  },
]
for (const { name, make, says } of broken) {
  test(`${name} is refused in one line, and what was there before stays`, async () => {
    write('token', 't')
    writePair(certificates.client)
    const { link, look } = follow(PAIR)
    const before = link('legacy')
    make()
    await look()
    expect(link('legacy')).toBe(before)
    expect(renewed).toEqual([])
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(says)
    expect(lines[0]).not.toContain('BEGIN')
  })
}
