import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../../src/cli/private-brokers/loopback.js'
import { hasDockerEngine } from '../containers.js'
import { freshName } from '../isolation.js'
import { CDR_FILE, parseCdrs, WRITE_CDRS } from './cdrs.js'
import { chrootPlace } from './chroot.js'
import { ARI_READER, ARI_USER, type AsteriskSettings, writeConfiguration } from './configuration.js'
import { buildAsteriskImage, containerPlace } from './container.js'
import type { AriAnswer, AsteriskOptions, TestAsterisk } from './contract.js'
import { type AsteriskPlace, INSTANCE_BASE, MAIN_CONFIGURATION } from './place.js'
import { freeUdpPort } from './ports.js'
import { ensureAsteriskRoot } from './root.js'

type Pieces = Readonly<Record<string, string>>

const START_TIMEOUT_MS = 20_000
/** Asterisk looks for a port that nobody uses, so ranges of two instances may overlap. */
const RTP = { first: 20_000, blocks: 12, size: 1_000 }

function freshEntityId(): string {
  return ['02', ...randomBytes(5).toString('hex').match(/../g)!].join(':') // ten digits are five pairs
}

/** Pieces for the same file one after another. */
function joined(one: Pieces, other: Pieces): Pieces {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return Object.fromEntries([...names].map((name) => [name, (one[name] ?? '') + (other[name] ?? '')]))
}

async function settingsFor(options: AsteriskOptions): Promise<AsteriskSettings> {
  const [httpPort = 0] = await freePorts(1)
  const rtpStart = RTP.first + RTP.size * Math.floor(Math.random() * RTP.blocks)
  return {
    systemName: options.systemName ?? freshName('ast'),
    entityId: options.entityId ?? freshEntityId(),
    httpPort,
    sipPort: await freeUdpPort(),
    rtpPorts: [rtpStart, rtpStart + RTP.size - 1],
    app: options.app ?? 'patchbay',
    ringSeconds: options.ringSeconds ?? 20,
    keepAliveMs: options.keepAliveMs ?? 15_000,
    ariGeneral: options.ariGeneral ?? [],
    append: joined(options.append ?? {}, options.writesCdrs === true ? WRITE_CDRS : {}),
  }
}

async function askAri(url: string, method: string, path: string, body: unknown): Promise<AriAnswer> {
  const credentials = Buffer.from(`${ARI_USER.name}:${ARI_USER.password}`).toString('base64')
  const response = await fetch(`${url}/ari${path}`, {
    method,
    // A connection that is kept would be found dead after a restart of the server.
    headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/json', connection: 'close' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true && text !== ''
  return { status: response.status, body: isJson ? JSON.parse(text) : text === '' ? undefined : text }
}

/** While it starts, Asterisk refuses connections, then answers 404 and 503. */
async function untilBooted(url: string, place: AsteriskPlace): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const answer = await askAri(url, 'GET', '/asterisk/info', undefined).catch(() => undefined)
    if (answer?.status === 200) return
    if (!(await place.running())) throw new Error('it ended while starting')
    if (performance.now() > deadline) throw new Error(`${url} does not answer within ${START_TIMEOUT_MS} ms`)
    await delay(20)
  }
}

/**
 * Does what the first start on a machine takes time for, about a minute.
 * @throws Error that says what to install.
 */
export async function prepareAsterisk(): Promise<void> {
  await ((await hasDockerEngine()) ? buildAsteriskImage() : ensureAsteriskRoot())
}

/**
 * Starts an Asterisk on free loopback ports, below a second on a prepared machine: in a container
 * where a Docker engine answers, else in a chroot of a Debian that the first call prepares.
 * @throws Error with the end of the server's log when it does not come up, or saying what to install.
 */
export async function startAsterisk(options: AsteriskOptions = {}): Promise<TestAsterisk> {
  const settings = await settingsFor(options)
  const makePlace = (await hasDockerEngine()) ? containerPlace : chrootPlace
  const place = await makePlace(options.timeZone ?? 'UTC', (folder) =>
    writeConfiguration(folder, INSTANCE_BASE, settings),
  )
  const url = `http://127.0.0.1:${settings.httpPort}`
  const start = async () => {
    try {
      await place.start()
      await untilBooted(url, place)
    } catch (cause) {
      const log = await place.log()
      await place.remove()
      throw new Error(`Asterisk did not start: ${log}`, { cause })
    }
  }
  await start()
  return {
    url,
    httpPort: settings.httpPort,
    sipPort: settings.sipPort,
    user: ARI_USER.name,
    password: ARI_USER.password,
    readOnlyUser: ARI_READER.name,
    readOnlyPassword: ARI_READER.password,
    systemName: settings.systemName,
    entityId: settings.entityId,
    app: settings.app,
    get pid() {
      return place.pid
    },
    cli: (command) => place.run('asterisk', ['-C', MAIN_CONFIGURATION, '-rx', command]),
    ari: (method, path, body) => askAri(url, method, path, body),
    cdrs: async () => parseCdrs(await place.run('sh', ['-c', `cat ${CDR_FILE} 2>/dev/null || true`])),
    log: () => place.log(),
    kill: () => place.end('SIGKILL'),
    async restart() {
      await place.end('SIGTERM')
      await start()
    },
    async stop() {
      await place.end('SIGTERM')
      await place.remove()
    },
  }
}
