import { randomBytes } from 'node:crypto'
import { ariServerTransport } from '../../transports/ari-server/index.js'
import { findAsterisk as findProgram, type PrivateAsterisk, startPrivateAsterisk } from '../private-brokers/index.js'
import { askAri } from './ari-request.js'
import { startRelay } from './asterisk-relay.js'
import { type AsteriskEvent, recordedCall, recordedRegistration } from './asterisk-samples.js'
import { placeCall } from './local-call.js'
import { startPeer } from './peer.js'
import { APPLICATION, type AriAccess } from './site.js'
import { saidBy, Trouble } from './trouble.js'

/** The Asterisk of the demo. Its events reach the gateway one at a time, when the demo lets them. */
export interface Asterisk {
  /** Given by the environment, started here, or a stand-in within this process that plays what a real one said. */
  readonly how: 'given' | 'started' | 'recorded'
  /** What to call it, without secrets. */
  readonly label: string
  readonly access: AriAccess
  /** Has a call made; gives what is told of it, event by event. */
  call(): Iterable<AsteriskEvent> | AsyncIterable<AsteriskEvent>
  /** What is told of a telephone that registers; nothing where there is none to do it. */
  registrations(): readonly AsteriskEvent[]
  /** Lets the gateway hear an event. */
  tell(body: string): Promise<void>
  stop(): Promise<void>
}

/** Variable that names an Asterisk. */
export const ASTERISK_VARIABLE = 'PATCHBAY_ARI_URL'

/** How an Asterisk is looked for. */
export interface AsteriskOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Look for none. */
  readonly embedded: boolean
  /** A name that nobody else uses on an Asterisk of others. */
  readonly own: string
  /** Told of what takes time, and of what was found but did not work. */
  readonly note: (line: string) => void
  /** What starts an Asterisk of this machine, where it has one. Default: the program that is found. */
  readonly starter?: () => (() => Promise<PrivateAsterisk>) | undefined
}

/**
 * Finds an Asterisk: its address in the environment, else a program on this machine, else a stand-in.
 * @throws Trouble for an address that is none, or where no Asterisk answers us.
 */
export async function findAsterisk(options: AsteriskOptions): Promise<Asterisk> {
  const { env, embedded, own, note, starter = programStarter } = options
  if (embedded) return standIn()
  const given = env[ASTERISK_VARIABLE]
  if (given !== undefined && given !== '') return useGiven(given, own)
  const start = starter()
  if (start === undefined) return standIn()
  note('starting asterisk, found on this machine …')
  try {
    const { stop, url, port, username, password } = await start()
    const label = `Asterisk, started for this demo on port ${port}`
    return await useReal('started', label, { url, username, password, app: own, isReal: true }, stop)
  } catch (error) {
    note(`asterisk does not start, so a stand-in takes its place: ${saidBy(error).split('\n', 1)[0]}`)
    return standIn()
  }
}

function programStarter() {
  const program = findProgram()
  return program === undefined ? undefined : () => startPrivateAsterisk(program)
}

/** What Asterisk says to whoever connects, our own ARI server says too; so it can stand in for one. */
async function standIn(): Promise<Asterisk> {
  const [username, password, app] = ['demo', randomBytes(12).toString('hex'), APPLICATION]
  const server = ariServerTransport({ name: 'asterisk', port: 0, users: [{ name: username, password }] })
  const peer = await startPeer(server, 'the stand-in for an Asterisk', () => undefined)
  const url = `http://127.0.0.1:${server.address()!.port}` // it was started, so it listens
  return {
    how: 'recorded',
    label: 'a stand-in that plays a call recorded on Asterisk 22',
    access: { url, username, password, app, isReal: false },
    call: () => recordedCall(app),
    registrations: () => [recordedRegistration(app)],
    tell: (body) => peer.send({ address: {}, headers: {}, body: Buffer.from(body) }),
    stop: peer.stop,
  }
}

async function useGiven(given: string, own: string): Promise<Asterisk> {
  const wrong = `${ASTERISK_VARIABLE} is no address of an Asterisk; want one such as http://user:password@host:8088`
  if (!URL.canParse(given)) throw new Trouble(wrong)
  const { protocol, host, pathname, username: user, password: secret } = new URL(given)
  if (!['http:', 'https:'].includes(protocol) || user === '' || secret === '') throw new Trouble(wrong)
  const [username, password] = [decodeURIComponent(user), decodeURIComponent(secret)]
  const url = `${protocol}//${host}${pathname.replace(/\/$/, '')}`
  const label = `Asterisk at ${host} (${ASTERISK_VARIABLE})`
  const access = { url, username, password, app: own, isReal: true }
  await askAri(access, label)('GET', 'asterisk/info?only=system')
  return useReal('given', label, access, async () => undefined)
}

async function useReal(
  how: 'given' | 'started',
  label: string,
  access: AriAccess,
  end: () => Promise<void>,
): Promise<Asterisk> {
  const ask = askAri(access, label)
  const relay = await startRelay(access.url)
  const call = placeCall(access.app, ask, label, relay.next)
  return {
    how,
    label,
    access: { ...access, url: relay.url },
    call: call.events,
    registrations: () => [],
    tell: relay.tell,
    async stop() {
      await call.clear()
      await relay.stop()
      await end()
    },
  }
}
