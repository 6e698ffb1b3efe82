import { expect, test } from 'vitest'
import { formatFault, parseConfig } from '../../src/config/index.js'
import { type AriConfig, ariTransport } from '../../src/transports/ari-client/index.js'

const LOGIN = 'username: bridge, password: { env: SECRET }'

/** A configuration in which all that happens on some Asterisks is told on a bus. */
const file = (links: readonly string[], routes = links.map((_, at) => `{ from: pbx${at}, to: bus }`)) => `group: gw
links:
${links.map((link, at) => `  pbx${at}: { type: ari, dialect: stasis, ${LOGIN}, ${link} }`).join('\n')}
  bus: { type: nats, dialect: xcc, servers: ["nats://localhost:4222"] }
routes: [${routes.join(', ')}]
`
const env = { SECRET: 'top' }
const read = (...given: Parameters<typeof file>) => parseConfig(file(...given), 'p.yaml', env)
const faultsOf = (...given: Parameters<typeof file>) => (read(...given).faults ?? []).map(formatFault)
const URL = 'url: "http://localhost:8088"'

function linkOf(text: string) {
  const link = read([text]).config?.links.pbx0
  if (link?.type !== 'ari') throw new Error('there is no such link')
  return link
}

test('a link to an Asterisk has everything decided, as the transport takes it', () => {
  const link = linkOf(URL)
  expect(link).toMatchObject({
    url: 'http://localhost:8088',
    credentials: { username: 'bridge', password: 'top' },
    app: 'patchbay',
    node: 'pbx0',
    subscribe: { all: true },
    eventFilter: { allowed: [], disallowed: ['ChannelVarset', 'ChannelDialplan'] },
    qualifyIds: false,
    replacedRetryMs: 60_000,
    maxUnsettled: 16_384,
    deadLetters: 'bus',
  })
  expect(link.pingIntervalMs + link.pongTimeoutMs).toBe(4000)
  const taken: AriConfig = link
  expect(ariTransport({ ...taken, name: 'pbx' }).name).toBe('pbx')
})

test.each([
  { name: 'all of it', text: 'subscribe: { all: true }', want: { all: true } },
  { name: 'nothing but our application', text: 'subscribe: { all: false }', want: { all: false } },
  {
    name: 'what is named, and then not all',
    text: 'subscribe: { endpoints: [PJSIP, PJSIP/1001], deviceStates: all, bridges: all }',
    want: { all: false, endpoints: ['PJSIP', 'PJSIP/1001'], deviceStates: 'all', bridges: 'all' },
  },
])('a link subscribes to $name', ({ text, want }) => {
  expect(linkOf(`${URL}, ${text}`).subscribe).toEqual(want)
})

const LISTEN = 'port: 8090, username: ast, password: { env: SECRET }'

test('a link waits for its Asterisk where it is told to', () => {
  expect(linkOf(`${URL}, listen: { ${LISTEN} }`).listen).toEqual({
    host: '127.0.0.1',
    port: 8090,
    path: '/',
    username: 'ast',
    password: 'top',
  })
  expect(linkOf(URL)).not.toHaveProperty('listen')
})

test.each([
  { name: 'by path', other: `${LISTEN}, path: /two` },
  { name: 'by user', other: LISTEN.replace('ast', 'other') },
  { name: 'by port', other: LISTEN.replace('8090', '8091') },
  { name: 'by address', other: `${LISTEN}, host: 10.0.0.1` },
])('links may listen side by side when they can be told apart $name', ({ other }) => {
  expect(faultsOf([`${URL}, listen: { ${LISTEN} }`, `url: "http://b:8088", listen: { ${other} }`])).toEqual([])
})

test('a link says itself who keeps its dead letters, and has none where nobody can', () => {
  expect(linkOf(`${URL}, deadLetters: bus`).deadLetters).toBe('bus')
  const { config, faults } = parseConfig(
    `group: gw
links:
  pbx: { type: ari, dialect: stasis, ${LOGIN}, ${URL} }
  apps: { type: ari-server, dialect: stasis, users: [{ name: a, password: b }] }
routes: [{ from: pbx, to: apps }]
`,
    'p.yaml',
    env,
  )
  expect(faults).toBeUndefined()
  expect(config?.links.pbx).not.toHaveProperty('deadLetters')
})

test('facts may go to an Asterisk and come from it: what goes there carries headers', () => {
  const both = ['{ from: pbx0, to: bus }', '{ from: bus, to: pbx0 }']
  expect(faultsOf([`${URL}, userEvents: { application: crm }`], both)).toEqual([])
})

const TO_PBX = ['{ from: bus, to: pbx0 }']
const FAULTY = [
  {
    name: 'credentials in the address',
    given: file(['url: "http://a:b@localhost:8088"']),
    want: ['`links.pbx0.url` is the text "http://***@localhost:8088"; want http[s]://host[:port][/prefix]'],
  },
  { name: 'an address of the socket', given: file(['url: "ws://localhost:8088/ari/events"']), want: ['config.value'] },
  {
    name: 'subscriptions beside all of them',
    given: file([`${URL}, subscribe: { all: true, bridges: all }`]),
    want: ['`all` stands beside other subscriptions'],
  },
  {
    name: 'a source with a comma, which would be two',
    given: file([`${URL}, subscribe: { endpoints: ["PJSIP/1,PJSIP/2"] }`]),
    want: ['want a name without spaces, commas'],
  },
  {
    name: 'one node for two Asterisks',
    given: file([`${URL}, node: n`, 'url: "http://other:8088", node: n']),
    want: ['`links.pbx0` is the node n too: their calls could not be told apart; give each link a `node` of its own'],
  },
  {
    name: 'one application for two links of an Asterisk',
    given: file([URL, URL]),
    want: ['`links.pbx0` is the application patchbay of this Asterisk too: only one would be told'],
  },
  {
    name: 'one place for two Asterisks that nobody could tell apart',
    given: file([`${URL}, listen: { ${LISTEN} }`, `url: "http://b:8088", listen: { ${LISTEN}, host: 127.0.0.1 }`]),
    want: ['`links.pbx0` listens on 127.0.0.1:8090/ for this user too: whose Asterisk comes would not show; give each'],
  },
  {
    name: 'one port with and without TLS',
    given: file([
      `${URL}, listen: { ${LISTEN} }`,
      `url: "http://b:8088", listen: { ${LISTEN}, path: /b, tls: { cert: "-----BEGIN ", key: "-----BEGIN " } }`,
    ]),
    want: ['`links.pbx0` listens on 127.0.0.1:8090 with another `tls`; use the same, or another `port`'],
  },
  {
    name: 'a listener with TLS that has no certificate',
    given: file([`${URL}, listen: { ${LISTEN}, tls: { ca: "-----BEGIN " } }`]),
    want: ['a server needs a certificate; want `cert` and `key`'],
  },
  {
    name: 'a path to listen on with a query',
    given: file([`${URL}, listen: { ${LISTEN}, path: "/a?b" }`]),
    want: ['want a path such as /pbx1, without a query'],
  },
  {
    name: 'a user with a colon, where the password would begin',
    given: file([`${URL}, listen: { ${LISTEN.replace('ast', '"a:b"')} }`]),
    want: ['a user has no colon'],
  },
  {
    name: 'a route to an Asterisk without an application to tell',
    given: file([URL], TO_PBX),
    want: ['a route leads here, and what it sends would only come back to us; name the application that is to be told'],
  },
  {
    name: 'a route to our own application',
    given: file([`${URL}, app: a, userEvents: { application: a }`], TO_PBX),
    want: ['what it sends would only come back to us'],
  },
  {
    name: 'dead letters for a link that keeps none',
    given: file([`${URL}, deadLetters: pbx0`]),
    want: ['no link `pbx0` can keep dead letters; want a link of type amqp or nats: bus'],
  },
]
test.each(FAULTY)('$name is a fault with its place and what would be right', ({ given, want }) => {
  const faults = (parseConfig(given, 'p.yaml', env).faults ?? []).map(formatFault)
  expect(faults).toEqual(want.map((part) => expect.stringContaining(part)))
  for (const fault of faults) expect(fault).toMatch(/^p\.yaml:\d+:\d+: /)
})
