import { readFileSync } from 'node:fs'
import { dump } from 'js-yaml'
import { shippedMapping } from '../../../src/config/index.js'
import { DEAD_LETTER_HEADERS } from '../../../src/gateway/dead-letters.js'
import { HEADERS } from '../../../src/gateway/headers.js'
import { loadMapping } from '../../../src/mapping/load.js'
import type { MappingFile } from '../../../src/mapping/schema.js'
import { type Bus, channel, type Node, operation, ref } from './parts.js'
import { stasisBus } from './stasis.js'
import { exchangeBinding, voiceEventsBus } from './voice-events.js'
import { xccBus } from './xcc.js'

const NOTE = '# Made by `npm run generate` from the shipped mappings; change those.\n'

const DESCRIPTION = [
  'What Patchbay takes and publishes on each bus, with the shipped mappings and their settings. `receive` is what Patchbay takes, `send` what',
  'it publishes; which of them happens follows from the routes of its configuration. An Asterisk is told by requests',
  '(`POST /ari/events/user/NAME`), which carry an event and the same headers as variables; they are no channel of this document.',
].join(' ')

function mapping(name: string): MappingFile {
  const loaded = loadMapping(shippedMapping(name))
  if ('faults' in loaded) throw new Error(`${name} has faults`)
  return loaded.mapping.file
}

const SERVERS: Readonly<Record<string, Node>> = {
  legacy: { host: 'rabbitmq:5672', protocol: 'amqp', protocolVersion: '0.9.1', description: 'RabbitMQ.' },
  bus: { host: 'nats:4222', protocol: 'nats', description: 'NATS of the XSwitches.' },
  asterisk: { host: 'asterisk:8088', protocol: 'ws', description: 'An Asterisk; Patchbay is the client.' },
  applications: { host: 'patchbay:8088', protocol: 'ws', description: 'Patchbay; ARI applications are the clients.' },
}

const text = (description: string): Node => ({ type: 'string', description })

/** Headers of what was translated. */
const HEADERS_SCHEMA: Node = {
  type: 'object',
  properties: {
    [HEADERS.id]: text('Names the fact; the same at every repetition. Also the AMQP message id, and `Nats-Msg-Id`.'),
    [HEADERS.path]: text('Groups passed so far, oldest first, separated by commas. More than four, or ours: a loop.'),
  },
}

const DEAD_HEADERS: Node = {
  type: 'object',
  description: 'Beside the headers that the message came with.',
  properties: {
    [HEADERS.id]: text('Names the message.'),
    [DEAD_LETTER_HEADERS.code]: text('Error code; docs/reference/error-codes.md.'),
    [DEAD_LETTER_HEADERS.error]: text('The reason, one line.'),
    [DEAD_LETTER_HEADERS.link]: text('The link it came by.'),
    [DEAD_LETTER_HEADERS.at]: text('When, ISO 8601, UTC.'),
    [DEAD_LETTER_HEADERS.address]: text('The address it came to, as JSON.'),
    [DEAD_LETTER_HEADERS.rule]: text('The rule of a mapping that failed, DIALECT/NAME, where one was found.'),
  },
  required: [HEADERS.id, DEAD_LETTER_HEADERS.code, DEAD_LETTER_HEADERS.error, DEAD_LETTER_HEADERS.link],
}

/** Exchange and subject of dead letters, where the configuration names no others. */
export const DEAD_LETTERS = 'patchbay.dead-letters'

function deadLetters(): Bus {
  const messages = ['dead-letter']
  const channels = ['legacy', 'bus'].map((server) =>
    channel({
      id: `${server}.${DEAD_LETTERS}`,
      address: server === 'bus' ? DEAD_LETTERS : null,
      servers: [server],
      description: `What cannot be translated, on \`${DEAD_LETTERS}\` or the name that the configuration gives.`,
      messages,
      ...(server === 'legacy' && { more: { bindings: exchangeBinding(DEAD_LETTERS, 'fanout') } }),
    }),
  )
  const operations = ['legacy', 'bus'].map((server) =>
    operation('send', `${server}.${DEAD_LETTERS}`, 'Patchbay puts a message aside with the reason.'),
  )
  const message: Node = {
    title: 'dead letter',
    summary: 'The raw bytes of a message, and why they could not be translated.',
    headers: ref('components', 'schemas', 'dead-letter-headers'),
    payload: { description: 'The bytes as they came.' },
  }
  return {
    channels: Object.assign({}, ...channels) as Bus['channels'], // of objects of that type
    operations: Object.assign({}, ...operations) as Bus['operations'], // likewise
    messages: { 'dead-letter': message },
  }
}

/** The AsyncAPI 3 document of what Patchbay takes and publishes with the shipped mappings. */
export function asyncApiDocument(): Node {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string } // ours
  const buses = [
    voiceEventsBus(mapping('voice-events.yaml')),
    xccBus(mapping('xcc.yaml')),
    stasisBus(mapping('stasis.yaml')),
    deadLetters(),
  ]
  const all = (part: 'channels' | 'operations' | 'messages' | 'schemas') =>
    Object.fromEntries(buses.flatMap((bus) => Object.entries(bus[part] ?? {})))
  const license = { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' }
  const own = { headers: HEADERS_SCHEMA, 'dead-letter-headers': DEAD_HEADERS }
  return {
    asyncapi: '3.0.0',
    info: { title: 'Patchbay', version, description: DESCRIPTION, license },
    servers: SERVERS,
    channels: all('channels'),
    operations: all('operations'),
    components: { messages: all('messages'), schemas: { ...own, ...all('schemas') } },
  }
}

/** `docs/asyncapi.yaml`. */
export function asyncApiFile(): string {
  return NOTE + dump(asyncApiDocument(), { noRefs: true, lineWidth: 140 })
}
