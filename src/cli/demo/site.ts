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

/** On brokers of others everything gets a name that nobody else listens to. */
export function makeSite(isShared: boolean): Site {
  const own = `patchbay-demo-${randomBytes(4).toString('hex')}`
  const prefix = isShared ? `${own}.` : ''
  const prefixed = (name: string) => `${prefix}${name}`
  return { group: isShared ? own : 'demo', prefix, exchange: prefixed, subject: prefixed, queue: `${own}.listener` }
}

/** Where the brokers are. */
export interface Addresses {
  readonly amqp: string
  /** May carry a user and a password. */
  readonly nats: string
}

/** The text of `patchbay.yaml`. `mapping` is the site's own mapping file, where it has one. */
export function configText(site: Site, { amqp, nats }: Addresses, mapping: string | undefined): string {
  // `${` would name a variable of the environment.
  const quote = (value: unknown) => JSON.stringify(value).replaceAll('${', () => '$${')
  const { server, credentials } = natsParts(nats)
  const own = site.prefix === '' ? undefined : ownNames(site)
  return [
    `group: ${site.group}`,
    'admin: { port: 0 }',
    ...(mapping === undefined ? [] : [`mappings: [${quote(mapping)}, ${quote(shippedMapping('xcc.yaml'))}]`]),
    ...(own === undefined ? [] : [`settings: ${quote(own.settings)}`]),
    'links:',
    `  legacy: ${quote({ type: 'amqp', dialect: 'voice-events', url: amqp, queue: { type: 'classic' }, ...own?.legacy })}`,
    `  bus: ${quote({ type: 'nats', dialect: 'xcc', servers: [server], ...credentials, ...own?.bus })}`,
    'routes:',
    '  - { from: legacy, to: bus }',
    '  - { from: bus, to: legacy }',
    '',
  ].join('\n')
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
