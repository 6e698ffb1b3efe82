import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { AriConfig, AriListen } from '../../../src/transports/ari-client/config.js'
import { ariTransport } from '../../../src/transports/ari-client/index.js'
import {
  type Certificates,
  type FaultProxy,
  makeCertificates,
  startAsterisk,
  startFaultProxy,
  type TestAsterisk,
} from '../../harness/index.js'
import { type Recorder, recorder } from '../recorder.js'
import { listenSomewhere } from './calling.js'
import { type Event, ids, parsed, told } from './link.js'

/** A file that we ship for the site's Asterisk, with this in place of what the site writes there. */
function shipped(file: string, replace: Readonly<Record<string, string>> = {}): string {
  let text = readFileSync(new URL(`../../../mappings/asterisk/${file}`, import.meta.url), 'utf8')
  for (const [from, to] of Object.entries(replace)) {
    expect(text).toContain(from)
    text = text.replace(from, to)
  }
  return `\n${text}\n`
}

const ENTRY = `
[entry]
exten => _e[n]ter-.,1,Gosub(patchbay,s,1(\${EXTEN:6},arg of \${EXTEN}))
 same => n,Set(GLOBAL(left_\${EXTEN:6})=\${STASISSTATUS})
 same => n,Hangup(41)
`

/** What a site writes into the shipped websocket_client.conf. */
const clientOf = ({ username, password }: AriListen, uri: string) => ({
  'ws://patchbay.example:8090/': uri,
  'username = asterisk1': `username = ${username}`,
  'password = change-me': `password = ${password}`,
})
/** And for a second application, whose connection is encrypted. */
const SECURE_ARI = {
  '[patchbay-outbound]': '[secure-outbound]',
  'websocket_client_id = patchbay': 'websocket_client_id = secure',
  'apps = patchbay': 'apps = secure',
}
const SECURE_CLIENT = {
  '[patchbay]': '[secure]',
  'tls_enabled = no': '',
  ';tls_enabled = yes': 'tls_enabled = yes',
  ';ca_list_file = /etc/ssl/certs/ca-certificates.crt': 'ca_list_file = /srv/etc/ca.pem',
  ';verify_server_cert': 'verify_server_cert',
  // The Asterisk of the tests can look up no name, and compares no address.
  ';verify_server_hostname = yes': 'verify_server_hostname = no',
}

let asterisk: TestAsterisk
let listen: AriListen
let secure: AriListen
let proxy: FaultProxy
let certificates: Certificates

beforeAll(async () => {
  listen = await listenSomewhere()
  proxy = await startFaultProxy(listen.port)
  certificates = makeCertificates()
  const { read, caFile, server } = certificates
  secure = await listenSomewhere({ tls: { cert: read(server.certFile), key: read(server.keyFile) } })
  asterisk = await startAsterisk({
    append: {
      'ari.conf': shipped('ari.conf') + shipped('ari.conf', SECURE_ARI),
      'websocket_client.conf':
        shipped('websocket_client.conf', clientOf(listen, `ws://127.0.0.1:${proxy.port}${listen.path}`)) +
        shipped('websocket_client.conf', {
          ...clientOf(secure, `wss://127.0.0.1:${secure.port}${secure.path}`),
          ...SECURE_CLIENT,
        }),
      'ca.pem': read(caFile).toString(),
      'extensions.conf': shipped('extensions.conf') + ENTRY,
    },
  })
}, 300_000)

afterAll(async () => {
  await asterisk.stop()
  await proxy.close()
  certificates.remove()
})

function makeLink(options: Partial<AriConfig> = {}) {
  const heard = recorder()
  const link = ariTransport({
    url: asterisk.url,
    credentials: { username: asterisk.user, password: asterisk.password },
    node: 'n1',
    app: 'patchbay',
    subscribe: { all: false },
    reconnect: { minDelayMs: 50, maxDelayMs: 300 },
    stopGraceMs: 2000,
    listen,
    ...options,
  })
  onTestFinished(() => link.stop())
  return { heard, link }
}

async function startLink(options: Partial<AriConfig> = {}) {
  const made = makeLink(options)
  await made.link.start(made.heard)
  await made.heard.until('consuming', 1)
  return made
}

/** A call that enters the application, by whatever way, and is answered and ended by its other end. */
async function call(id: string, seconds: number, context = 'services', extension = 'in-patchbay'): Promise<void> {
  const query = { endpoint: `Local/wait-${seconds}@services`, context, extension, priority: 1 }
  const { status } = await asterisk.ari('POST', '/channels', { ...query, channelId: id, otherChannelId: `${id}-far` })
  expect(status).toBe(200)
}

const post = async (name: string) =>
  expect((await asterisk.ari('POST', `/events/user/${name}?application=patchbay`)).status).toBe(204)
const idOf = ({ channel }: Event) => (channel as { id: string }).id
const names = (heard: Recorder) => told(heard, 'ChannelUserevent').map(({ eventname }) => String(eventname))
const sequence = (count: number, name: string) => Array.from({ length: count }, (_, at) => `${name}${at}`)

async function noCalls(): Promise<void> {
  const live = async () => ids((await asterisk.ari('GET', '/channels')).body)
  for (const id of await live()) await asterisk.ari('DELETE', `/channels/${encodeURIComponent(id)}`)
  await expect.poll(live).toEqual([])
}

test('calls enter and are queued before anybody ever listened, and are told to the first who does, before how things are', async () => {
  await call('early', 60)
  await expect.poll(async () => ids((await asterisk.ari('GET', '/channels')).body)).toContain('early')
  await post('queued')
  const { heard } = await startLink()
  const order = heard.deliveries.map((each) => parsed(each)).map(({ type, eventname }) => eventname ?? type)
  expect(order).toEqual(['ApplicationRegistered', 'StasisStart', 'queued', 'PatchbayChannels', 'PatchbayBridges'])
  expect(ids(told(heard, 'PatchbayChannels')[0]?.channels)).toEqual(['early'])
  expect(heard.of('fault')).toEqual([])
  await noCalls()
})

test('every event comes once and in order, while calls go on and one process after the other listens, with nobody between', async () => {
  const links = [await startLink()]
  let isOver = false
  let posted = 0
  const calls: string[] = []
  const posting = (async () => {
    for (; !isOver; posted++) {
      await post(`n${posted}`)
      await delay(20)
    }
  })()
  const calling = (async () => {
    while (!isOver) {
      const id = `over-${calls.length}`
      calls.push(id)
      await call(id, 0.7)
      await delay(100)
    }
  })()
  for (let round = 0; round < 3; round++) {
    await delay(600)
    await links.at(-1)?.link.stop()
    await delay(1000)
    links.push(await startLink())
  }
  isOver = true
  await Promise.all([posting, calling])
  await post('last')
  await vi.waitFor(() => expect(names(links.at(-1)!.heard)).toContain('last'), 5000)
  const all = links.flatMap(({ heard }) => heard.deliveries.map(parsed))
  const ended = () => links.flatMap(({ heard }) => told(heard, 'StasisEnd').map(idOf))
  await vi.waitFor(() => expect(ended().length).toBeGreaterThanOrEqual(calls.length), 5000)
  const started = all.filter(({ type }) => type === 'StasisStart').map(idOf)
  expect(started).toEqual(calls)
  expect(ended().sort()).toEqual([...calls].sort())
  expect(links.flatMap(({ heard }) => names(heard))).toEqual([...sequence(posted, 'n'), 'last'])
  for (const { heard } of links) {
    expect(told(heard, 'PatchbayGap')).toEqual([])
    expect(told(heard, 'ApplicationReplaced')).toEqual([])
    expect(heard.of('fault')).toEqual([])
  }
}, 60_000)

test('a cut loses nothing that is queued after it, and leaves a gap for what was under way', async () => {
  const { heard } = await startLink()
  await post('before')
  await vi.waitFor(() => expect(names(heard)).toEqual(['before']))
  proxy.faults.refusing = true
  proxy.cut()
  await heard.until('down', 1)
  await delay(100) // Asterisk is told of the cut as soon as we are, and needs a moment to see it
  for (const name of sequence(20, 'c')) await post(name)
  proxy.faults.refusing = false
  await heard.until('consuming', 2)
  expect(names(heard)).toEqual(['before', ...sequence(20, 'c')])
  const types = heard.deliveries.map((each) => parsed(each).type)
  expect(types.lastIndexOf('PatchbayGap')).toBeGreaterThan(types.lastIndexOf('ChannelUserevent'))
  expect(types.lastIndexOf('PatchbayChannels')).toBeGreaterThan(types.lastIndexOf('PatchbayGap'))
  expect(told(heard, 'PatchbayGap')).toHaveLength(1)
})

test('an Asterisk that does not know that its connection is dead is made to notice', async () => {
  const { heard } = await startLink({ pingIntervalMs: 200, pongTimeoutMs: 300 })
  proxy.faults.stalled = true
  await heard.until('down', 1)
  expect(heard.of('down')[0]?.error?.message).toContain('no sign of life')
  proxy.faults.stalled = false
  await heard.until('consuming', 2)
  expect(told(heard, 'PatchbayGap')).toHaveLength(1)
})

test('replicas hand the application over without a gap; after one that is cut off the next tells of one', async () => {
  const make = async () => {
    const made = makeLink()
    await made.link.start(made.heard, { standby: true })
    return made
  }
  const [one, other, third] = [await make(), await make(), await make()]
  one.link.consume()
  await one.heard.until('consuming', 1)
  await one.link.release()
  await post('between')
  other.link.consume(Date.now() - 100)
  await other.heard.until('consuming', 1)
  expect(names(other.heard)).toEqual(['between'])
  expect(told(other.heard, 'PatchbayGap')).toEqual([])
  proxy.faults.refusing = true
  proxy.cut()
  await other.link.release()
  const missedSince = Date.now()
  proxy.faults.refusing = false
  third.link.consume(missedSince)
  await third.heard.until('consuming', 1)
  expect(told(third.heard, 'PatchbayGap')).toMatchObject([{ reason: 'taken over from another replica' }])
})

test('over TLS Asterisk connects to whom it can trust', async () => {
  const { heard } = await startLink({ app: 'secure', listen: secure })
  const { status } = await asterisk.ari('POST', '/events/user/encrypted?application=secure')
  expect(status).toBe(204)
  await vi.waitFor(() => expect(names(heard)).toEqual(['encrypted']))
  expect(heard.of('fault')).toEqual([])
})

test('with the wrong password Asterisk is not let in, and loses nothing by it', async () => {
  const { heard, link } = makeLink({ listen: { ...listen, password: 'another' } })
  await link.start(heard)
  await heard.until('fault', 2)
  expect(heard.of('fault')[0]?.error).toMatchObject({ code: 'link.forbidden' })
  expect(heard.deliveries).toEqual([])
  await post('kept')
  await link.stop()
  const right = await startLink()
  expect(names(right.heard)).toEqual(['kept'])
})

test('for another application Asterisk is sent away, and that is said', async () => {
  const { heard, link } = makeLink({ app: 'other' })
  await link.start(heard)
  await heard.until('fault', 1)
  expect(heard.of('fault')[0]?.error.message).toContain('for the application "patchbay"; want a connection for "other"')
  expect(heard.deliveries).toEqual([])
})

test('what is asked for by name is told, on the next connection too, and each event once', async () => {
  const first = await startLink({ subscribe: { all: false, channels: 'all' } })
  await first.link.stop()
  const { heard } = await startLink({ subscribe: { all: false, channels: 'all' } })
  await call('named', 0.3)
  const ofNamed = () =>
    heard.deliveries.map(parsed).filter((event) => (event.channel as { id?: string })?.id === 'named')
  await vi.waitFor(() => expect(ofNamed().map(({ type }) => type)).toContain('ChannelDestroyed'), 5000)
  expect(ofNamed().filter(({ type }) => type === 'ChannelDestroyed')).toHaveLength(1)
  expect(heard.of('fault')).toEqual([])
})

test('a killed Asterisk comes back by itself, with a gap, for what it had queued is gone', async () => {
  const { heard } = await startLink()
  await asterisk.kill()
  await heard.until('down', 1)
  await asterisk.restart()
  await heard.until('consuming', 2)
  expect(told(heard, 'PatchbayGap')).toMatchObject([{ reason: expect.stringContaining('Asterisk was started at') }])
}, 60_000)

describe('the dialplan that we ship', () => {
  const left = async (app: string) => (await asterisk.ari('GET', `/asterisk/variable?variable=left_${app}`)).body

  test('lets a call wait until somebody takes the application over', async () => {
    const plain = { listen: undefined, app: 'plain' } as const
    await call('patient', 60, 'entry', 'enter-plain')
    await delay(1500)
    const { heard } = await startPlain(plain.app)
    await vi.waitFor(() => expect(told(heard, 'StasisStart').map(idOf)).toEqual(['patient']))
    expect(told(heard, 'StasisStart')[0]?.args).toEqual(['arg of enter-plain'])
    await noCalls()
  })

  test('lets a call go on in the dialplan when nobody does within five seconds', async () => {
    const before = Date.now()
    await call('given-up', 60, 'entry', 'enter-nobody')
    await expect.poll(() => left('nobody'), { timeout: 15_000 }).toEqual({ value: 'FAILED' })
    expect(Date.now() - before).toBeGreaterThan(4900)
    await noCalls()
  }, 20_000)

  async function startPlain(app: string) {
    const heard = recorder()
    const { url, user: username, password } = asterisk
    const credentials = { username, password }
    const link = ariTransport({ url, credentials, node: 'n1', app, subscribe: { all: false } })
    onTestFinished(() => link.stop())
    await link.start(heard)
    return { heard, link }
  }
})
