import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { formatFault } from '../../src/config/fault.js'
import { loadConfig, parseConfig, shippedMapping } from '../../src/config/load.js'
import { type AmqpConfig, amqpTransport } from '../../src/transports/amqp/index.js'
import { type NatsConfig, natsTransport } from '../../src/transports/nats/index.js'

const minimal = `group: gw
links:
  legacy: { type: amqp, dialect: voice-events, url: "amqp://u:p@localhost:5672/%2F" }
  bus: { type: nats, dialect: xcc, servers: ["nats://localhost:4222"] }
routes:
  - { from: legacy, to: bus }
`
const folder = mkdtempSync(join(tmpdir(), 'patchbay-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A placeholder as the file has it. */
const variable = (inside: string) => `\${${inside}}`

const faultsOf = (text: string, env: Record<string, string> = {}) =>
  (parseConfig(text, 'p.yaml', env).faults ?? []).map(formatFault)

function configOf(text: string, env: Record<string, string> = {}) {
  const { config, faults } = parseConfig(text, join(folder, 'p.yaml'), env)
  if (config === undefined) throw new Error(faults.map(formatFault).join('\n'))
  return config
}

test('defaults are filled in, names follow from group and links, and all is frozen', () => {
  const config = configOf(minimal)
  expect(config).toMatchObject({
    group: 'gw',
    admin: { host: '127.0.0.1', port: 9464 },
    log: { level: 'info', format: 'json' },
    state: 'memory',
    sync: { waitMs: 2000 },
    links: {
      legacy: { prefetch: 256, declare: true, queue: { name: 'patchbay.gw.legacy', type: 'quorum' } },
      bus: { deliver: 'core', node: { uuid: 'gw', name: 'gw', register: true } },
    },
    routes: [{ name: 'legacy-to-bus', loopback: false, sync: { ask: true, answer: true } }],
  })
  expect(config.routes[0]?.facts).toContain('channel')
  expect(config.mappings).toEqual([
    shippedMapping('voice-events.yaml'),
    shippedMapping('xcc.yaml'),
    shippedMapping('stasis.yaml'),
  ])
  expect(Object.isFrozen(config) && Object.isFrozen(config.links.bus) && Object.isFrozen(config.routes)).toBe(true)
})

test('relative paths begin at the folder of the file', () => {
  expect(configOf(`${minimal}mappings: [site/a.yaml, /etc/b.yaml]\n`).mappings).toEqual([
    join(folder, 'site/a.yaml'),
    '/etc/b.yaml',
  ])
})

test('variables are replaced, with defaults, and become numbers and truths where those are wanted', () => {
  const text = `${minimal}admin: { host: "\${HOST:-::1}", port: "\${PORT}" }
settings: { xcc: { a: "$\${x}", b: "\${B}-\${EMPTY:-e}" } }
log: { level: "\${LEVEL:-debug}" }
`.replace('localhost:5672', variable('RABBIT'))
  const config = configOf(text, { PORT: '81', B: '7', RABBIT: 'rabbit:5671', EMPTY: '' })
  expect(config).toMatchObject({
    admin: { host: '::1', port: 81 },
    settings: { xcc: { a: variable('x'), b: '7-e' } },
    log: { level: 'debug' },
    links: { legacy: { urls: ['amqp://u:p@rabbit:5671/%2F'] } },
  })
})

const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----'

test('secrets come from the text, a variable or a file', () => {
  mkdirSync(join(folder, 'tls'))
  writeFileSync(join(folder, 'tls/ca.pem'), `${pem}\n`)
  writeFileSync(join(folder, 'password'), 'from file\n')
  const text = `group: gw
links:
  legacy:
    type: amqp
    dialect: voice-events
    url: amqps://localhost
    username: { env: RABBIT_USER }
    password: { file: password }
    tls: { ca: { file: tls/ca.pem } }
  bus: { type: nats, dialect: xcc, servers: [localhost], token: "\${NATS_TOKEN}" }
routes: [{ from: legacy, to: bus }]
`
  expect(configOf(text, { RABBIT_USER: 'u', NATS_TOKEN: '0123' }).links).toMatchObject({
    legacy: { credentials: { username: 'u', password: 'from file' }, tls: { ca: pem } },
    bus: { credentials: { token: '0123' } },
  })
})

test('credentials: those of the addresses, a client certificate, or user and password', () => {
  const legacy = (more: string) =>
    configOf(`group: g\nlinks: { a: { type: amqp, dialect: d, ${more} }, b: { type: nats, dialect: d, servers: [n] } }
routes: [{ from: a, to: b }]\n`).links.a
  expect(legacy('url: ["amqp://u:p@h", "amqp://u:p@i"]')).not.toHaveProperty('credentials')
  const certificate = JSON.stringify({ cert: pem, key: pem })
  expect(legacy(`url: "amqps://h", tls: ${certificate}`)).toMatchObject({
    urls: ['amqps://h'],
    credentials: 'external',
  })
  expect(legacy('url: "amqp://h", username: u, password: p')).toMatchObject({
    credentials: { username: 'u', password: 'p' },
  })
})

test('a link fits the options of its transport as it is', () => {
  const link = configOf(minimal).links.legacy
  if (link?.type !== 'amqp') throw new Error('not an AMQP link')
  const { deadLetter, queue } = link
  const consume = [{ queue: { ...queue, deadLetterExchange: deadLetter.exchange } }]
  const options: AmqpConfig = { ...link, name: 'legacy', consume }
  expect(amqpTransport(options).name).toBe('legacy')
})

test('a NATS link too, with its stream when it delivers to one', () => {
  const link = configOf(minimal.replace('dialect: xcc', 'dialect: xcc, deliver: jetstream, creds: c')).links.bus
  if (link?.type !== 'nats') throw new Error('not a NATS link')
  const options: NatsConfig = { ...link, name: 'bus', subscriptions: link.observe.map((subject) => ({ subject })) }
  expect(natsTransport(options).name).toBe('bus')
  expect(link).toMatchObject({ credentials: { creds: 'c' }, stream: { name: 'PATCHBAY', storage: 'file' } })
  expect(configOf(minimal).links.bus).not.toHaveProperty('stream')
})

const head = (links: string, routes = '  - { from: a, to: b }') => `group: gw\nlinks:\n${links}\nroutes:\n${routes}\n`
const amqp = (name: string, more = '') => `  ${name}: { type: amqp, dialect: d, url: "amqp://u:p@${name}"${more} }`
const ari = (name: string, more = '') =>
  `  ${name}: { type: ari, dialect: s, url: "http://h", username: u, password: p${more} }`
const nats = (name: string, more = '') => `  ${name}: { type: nats, dialect: d, servers: [n]${more} }`

const faulty: { name: string; text: string; want: string[] }[] = [
  {
    name: 'variables that are not set, once, also where a number was wanted',
    text: `${minimal}admin: { port: "\${PORT}", host: "\${HO ST}" }\n`,
    want: [
      `p.yaml:7:16: config.environment: the environment variable PORT is not set; set it, or write \`${variable('PORT:-default')}\``,
      expect.stringContaining(
        'p.yaml:7:33: config.environment: `$\u007b` begins a variable that cannot be read',
      ) as string,
    ],
  },
  {
    name: 'secrets that cannot be read',
    text: head(
      `${amqp('a', ', username: { env: U }, password: { file: gone }')}\n${nats('b', ', tls: { ca: certs/ca.pem, key: x }')}`,
    ),
    want: [
      'p.yaml:3:53: config.environment: the environment variable U is not set; set it',
      "p.yaml:3:75: config.file: the file gone cannot be read (ENOENT); name a readable file, relative to this file's folder",
      'p.yaml:4:46: config.value: only one of `cert` and `key` is given; want both or neither',
      'p.yaml:4:57: config.value: this is not PEM text; name a PEM file as `{ file: path }`',
      'p.yaml:4:76: config.value: this is not PEM text; name a PEM file as `{ file: path }`',
    ],
  },
  {
    name: 'credentials that are missing, halved, or said in two ways',
    text: head(
      `  a: { type: amqp, dialect: d, url: amqp://h }\n${nats('b', ', username: u, token: t')}\n${amqp('c', ', username: u')}`,
    ),
    want: [
      'p.yaml:3:3: config.missing: the link has no credentials; add `username` and `password`',
      'p.yaml:4:3: config.value: `username` and `token` stand together; keep one of them',
      'p.yaml:4:3: config.value: only one of `username` and `password` is given; want both or neither',
      'p.yaml:5:3: config.value: only one of `username` and `password` is given; want both or neither',
    ],
  },
  {
    name: 'routes: unknown links, a route to itself, the same twice, facts that do not exist',
    text: head(
      `${amqp('legacy')}\n${nats('bus')}`,
      '  - { from: legcy, to: nowhere }\n  - { from: bus, to: bus }\n  - { from: legacy, to: bus }\n  - { from: legacy, to: bus, facts: [cdr, chanel] }',
    ),
    want: [
      'p.yaml:6:13: config.link: there is no link `legcy`; did you mean `legacy`?',
      'p.yaml:6:24: config.link: there is no link `nowhere`; want legacy or bus',
      'p.yaml:7:22: config.route: the route leads from `bus` to itself; name two links',
      'p.yaml:9:5: config.route: a route above is called `legacy-to-bus` too; give each route a `name` of its own',
      'p.yaml:9:37: config.route: cdr from `legacy` would reach `bus` twice: a route above takes it too; give the routes different `facts`',
      expect.stringContaining(
        'p.yaml:9:43: config.value: `routes[3].facts[1]` is the text "chanel"; want channel,',
      ) as string,
    ],
  },
  {
    name: 'subjects that are not well-formed',
    text: head(
      `${amqp('a')}\n${nats('b', ', observe: ["x y", a..b, "a.>.b", "a.b*"], deadLetterSubject: "dead.>", node: { uuid: "a b" }')}`,
    ),
    want: [
      'p.yaml:4:56: config.subject: `x y` is not a subject; a subject must not hold white space',
      'p.yaml:4:63: config.subject: `a..b` is not a subject; a subject must not hold an empty token: no dot at an end, no two dots in a row',
      'p.yaml:4:69: config.subject: `a.>.b` is not a subject; a subject may hold `>` only as its last token',
      'p.yaml:4:78: config.subject: `a.b*` is not a subject; a subject may hold a wildcard only as a whole token, not in `b*`',
      'p.yaml:4:106: config.subject: `dead.>` is not a subject; a subject to publish on must not hold the wildcards `*` and `>`',
      'p.yaml:4:130: config.subject: this is no node uuid; a subject, of which it becomes a part, must not hold white space',
    ],
  },
  {
    name: 'streams over requests, and subjects that overlap in one stream',
    text: head(
      `${amqp('a')}\n${nats('b', ', stream: { subjects: ["cn.xswitch.*", cn.xswitch.ctrl, "tenant.cn.xswitch.node.>", "cn.xswitch.ctrl.>"] }')}`,
    ),
    want: [
      'p.yaml:4:67: config.stream: a stream over `cn.xswitch.*` covers `cn.xswitch.node` and would answer requests itself; name event subjects only, such as cn.xswitch.ctrl.> and cn.xswitch.event.>',
      'p.yaml:4:83: config.subject: `cn.xswitch.ctrl` and `cn.xswitch.*` overlap: NATS refuses such a stream; keep the wider one',
      'p.yaml:4:100: config.stream: a stream over `tenant.cn.xswitch.node.>` covers `*.cn.xswitch.node.>` and would answer requests itself; name event subjects only, such as cn.xswitch.ctrl.> and cn.xswitch.event.>',
    ],
  },
  {
    name: 'links that get in the way of each other',
    text: head(
      `  a: { type: amqp, dialect: d, url: "amqp://u:p@h", queue: { name: q } }
  b: { type: amqp, dialect: d, url: "amqp://u:p@h", queue: { name: q } }
${nats('c', ', deliver: jetstream')}
${nats('d', ', deliver: jetstream, stream: { name: OTHER, subjects: ["cn.xswitch.ctrl.*"] }')}
${nats('e', ', deliver: jetstream, node: { uuid: e }, stream: { subjects: [x] }')}`,
      '  - { from: a, to: c }\n  - { from: a, to: d }\n  - { from: b, to: e }',
    ),
    want: [
      'p.yaml:4:68: config.link: `links.a` consumes from the queue `q` too: each would get half of the messages; give each link a queue of its own',
      'p.yaml:6:3: config.link: `links.c` is the node gw too: requests would be answered twice; give each link a `node.uuid` of its own',
      'p.yaml:6:100: config.stream: `cn.xswitch.ctrl.*` overlaps with `cn.xswitch.ctrl.>` of the stream PATCHBAY in `links.c`; use one stream for both links, or subjects that do not overlap',
      'p.yaml:7:105: config.stream: the stream PATCHBAY has other subjects in `links.c`; use the same subjects, or another name',
    ],
  },
  {
    name: 'requests that would be taken twice, and ids that nobody could command by',
    text: head(
      `${ari('a', ', steer: {}, qualifyIds: true')}\n${nats('b', ', observe: ["cn.xswitch.>", "tenant.cn.xswitch.>"], node: { uuid: a }')}`,
      '  - { from: a, to: b, facts: [channel] }\n  - { name: x, from: a, to: b, facts: [cdr] }',
    ),
    want: [
      'p.yaml:3:3: config.link: `links.b` is the node a too: requests would be answered twice; give each a name of its own',
      'p.yaml:3:97: config.link: `steer` and `qualifyIds` stand together: commands name calls by the ids that Asterisk knows; give this Asterisk a `systemname` of its own',
      'p.yaml:4:56: config.subject: `cn.xswitch.>` covers `cn.xswitch.node`, where requests to our own nodes arrive: each would be taken twice; name event subjects only, such as cn.xswitch.ctrl.> and cn.xswitch.event.>',
    ],
  },
  {
    name: 'faults of the text, the schema and across sections in one report',
    text: 'group: g w\nlinks:\n  a: { type: amqp, dialect: d, url: "amqp://u:p@h", prefech: 1 }\n\tb: 1\nroutes:\n  - { from: a, to: zz }\nroutes: []\n',
    want: [
      'p.yaml:1:8: config.value: `group` is the text "g w"; want letters, digits, `_` and `-` only',
      'p.yaml:3:53: config.unknown-key: nobody reads the key `prefech` here; did you mean `prefetch`?',
      'p.yaml:4:1: yaml.syntax: a tab stands in the indentation; indent with spaces',
      expect.stringContaining('p.yaml:4:6: config.type: `links.b` is the number 1; want ') as string,
      'p.yaml:6:20: config.link: there is no link `zz`; want a or b',
      'p.yaml:7:1: yaml.duplicate-key: `routes` stands twice here; keep one of the two',
    ],
  },
]
for (const { name, text, want } of faulty) test(`faults: ${name}`, () => expect(faultsOf(text)).toEqual(want))

test('a file that cannot be read is a fault', () => {
  const { faults } = loadConfig(join(folder, 'gone.yaml'), {})
  expect(faults).toMatchObject([{ code: 'config.file', line: 1, what: 'the file cannot be read (ENOENT)' }])
})

test('a file on disk is read', () => {
  writeFileSync(join(folder, 'p.yaml'), minimal)
  expect(loadConfig(join(folder, 'p.yaml'), {}).config?.group).toBe('gw')
})
