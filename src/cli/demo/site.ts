import { randomBytes } from 'node:crypto'
import { shippedMapping } from '../../config/index.js'

/** Under which names the demo runs: the usual ones, or others that nobody else uses. */
export interface Site {
  /** Group of the gateway, and the uuid of its node. */
  readonly group: string
  /** Begins every exchange, queue and subject; empty where the brokers are ours. */
  readonly prefix: string
  readonly exchange: (name: string) => string
  readonly subject: (name: string) => string
  /** Queue of the demo's own legacy side. */
  readonly queue: string
}

/** Exchanges of the legacy side with their types. */
export const LEGACY_EXCHANGES = { voice_events: 'topic', voice_sync_online: 'fanout', voice_sync_events: 'fanout' }

/** Subjects on which the demo's controller gets its answers begin so. */
export const REPLIES = 'patchbay.demo.reply'

/** Exchange of dead letters. */
export const DEAD_LETTERS = 'patchbay.dead-letters'

/** A name that nobody else uses. */
export function ownName(): string {
  return `patchbay-demo-${randomBytes(4).toString('hex')}`
}

/** On brokers of others everything gets a name that begins with our own, so that nobody else listens to it. */
export function makeSite(own: string, isShared: boolean): Site {
  const prefix = isShared ? `${own}.` : ''
  const prefixed = (name: string) => `${prefix}${name}`
  const group = isShared ? own : 'demo'
  return { group, prefix, exchange: prefixed, subject: prefixed, queue: `${own}.listener` }
}

/** Where an Asterisk is. */
export interface AriAccess {
  /** Without `/ari`. */
  readonly url: string
  readonly username: string
  readonly password: string
  /** Application that the gateway's link subscribes as. */
  readonly app: string
  /** Where there are calls of others, too: we want to know nothing of them, and make one of our own. */
  readonly isReal: boolean
}

/** Where ARI applications connect to the gateway, and as whom. */
export interface AppsAccess {
  readonly port: number
  readonly username: string
  readonly password: string
}

/** Where everything is that the gateway talks to. */
export interface Addresses {
  readonly amqp: string
  /** May carry a user and a password. */
  readonly nats: string
  readonly ari: AriAccess
  readonly apps: AppsAccess
}

/** Name of the link to the Asterisk. */
export const ASTERISK_LINK = 'asterisk'

/** Application to which the gateway hands calls where no mapping says otherwise. */
export const APPLICATION = 'patchbay'

/** The text of `patchbay.yaml`. `mapping` is the site's own mapping file, where it has one. */
export function configText(site: Site, { amqp, nats, ari, apps }: Addresses, mapping: string | undefined): string {
  // `${` would name a variable of the environment.
  const quote = (value: unknown) => JSON.stringify(value).replaceAll('${', () => '$${')
  const { server, credentials } = natsParts(nats)
  const own = site.prefix === '' ? undefined : ownNames(site)
  return [
    `group: ${site.group}`,
    'admin: { port: 0 }',
    ...(mapping === undefined ? [] : [`mappings: ${quote([mapping, ...SHIPPED_BESIDE.map(shippedMapping)])}`]),
    ...(own === undefined ? [] : [`settings: ${quote(own.settings)}`]),
    'links:',
    `  legacy: ${quote({ type: 'amqp', dialect: 'voice-events', url: amqp, queue: { type: 'classic' }, ...own?.legacy })}`,
    `  bus: ${quote({ type: 'nats', dialect: 'xcc', servers: [server], ...credentials, ...own?.bus })}`,
    `  ${ASTERISK_LINK}: ${quote(asteriskLink(ari))}`,
    `  apps: ${quote(appsLink(apps))}`,
    'routes:',
    '  - { from: legacy, to: bus }',
    '  - { from: bus, to: legacy }',
    // The call that we make on a real Asterisk never leaves it.
    `  - { from: ${ASTERISK_LINK}, to: legacy, loopback: ${ari.isReal} }`,
    `  - { from: ${ASTERISK_LINK}, to: bus, loopback: ${ari.isReal} }`,
    '  - { from: legacy, to: apps }',
    '  - { from: bus, to: apps }',
    '',
  ].join('\n')
}

/** Shipped mappings beside the one that a site has of its own. */
const SHIPPED_BESIDE = ['xcc.yaml', 'stasis.yaml']

function asteriskLink({ url, username, password, app, isReal }: AriAccess) {
  const link = { type: 'ari', dialect: 'stasis', url, username, password, app }
  return isReal ? { ...link, subscribe: { all: false }, qualifyIds: true } : link
}

function appsLink({ port, username, password }: AppsAccess) {
  return { type: 'ari-server', dialect: 'stasis', port, users: [{ name: username, password }] }
}

type NatsCredentials = { readonly username: string; readonly password: string } | { readonly token: string }

/** A NATS address taken apart: the server, and what to say at its door. */
export function natsParts(address: string): { server: string; credentials: NatsCredentials | undefined } {
  const { protocol, host, username, password } = new URL(address)
  const user = decodeURIComponent(username)
  const credentials =
    user === ''
      ? undefined
      : password === ''
        ? { token: user }
        : { username: user, password: decodeURIComponent(password) }
  return { server: `${protocol}//${host}`, credentials }
}

function ownNames({ exchange, subject }: Site) {
  const xcc = {
    'ctrl-subject': subject('cn.xswitch.ctrl'),
    'cdr-subject': subject('cn.xswitch.event.cdr'),
    'status-subject': subject('cn.xswitch.status.node'),
    'terminal-subject': subject('cn.xswitch.event.custom.terminal'),
    'lifecycle-subject': subject('cn.xswitch.event.custom.lifecycle'),
  }
  const dead = exchange(DEAD_LETTERS)
  return {
    settings: { 'voice-events': { 'lifecycle-exchange': exchange('voice_sync_events') }, xcc },
    legacy: { deadLetter: { exchange: dead, queue: dead } },
    bus: { observe: [subject('cn.xswitch.>')], deadLetterSubject: subject(DEAD_LETTERS) },
  }
}

/** A mapping file that lays the legacy side's messages on the site's own exchanges. */
export function mappingText({ exchange }: Site): string {
  const at = (message: string, name: string) =>
    `  ${message}: { address: { exchange: ${JSON.stringify(exchange(name))} } }`
  return [
    'mapping: v1',
    'dialect: voice-events',
    `extends: ${JSON.stringify(shippedMapping('voice-events.yaml'))}`,
    'messages:',
    at('channel-states', 'voice_events'),
    at('terminal-states', 'voice_events'),
    at('terminal-numbers', 'voice_events'),
    at('sync-terminals', 'voice_sync_online'),
    at('sync-channels', 'voice_sync_events'),
    '',
  ].join('\n')
}
