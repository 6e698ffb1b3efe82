import { expect, test } from 'vitest'
import { formatFault, parseConfig } from '../../src/config/index.js'
import { type AriServerConfig, ariServerTransport } from '../../src/transports/ari-server/index.js'

const file = (...links: string[]) => `group: gw
links:
  bus: { type: nats, dialect: xcc, servers: ["nats://localhost:4222"] }
${links.map((link, at) => `  apps${at}: { type: ari-server, dialect: stasis, ${link} }`).join('\n')}
routes:
  - { from: bus, to: apps0 }
`
const users = 'users: [{ name: bridge, password: { env: SECRET } }]'
const env = { SECRET: 'top' }
const faultsOf = (text: string) => (parseConfig(text, 'p.yaml', env).faults ?? []).map(formatFault)

test('a link that ARI applications connect to has everything decided, as the transport takes it', () => {
  const { config } = parseConfig(file(users), 'p.yaml', env)
  const link = config?.links.apps0
  if (link?.type !== 'ari-server') throw new Error('there is no such link')
  expect(link).toMatchObject({
    host: '127.0.0.1',
    port: 8088,
    users: [{ name: 'bridge', password: 'top', readOnly: false }],
    asteriskId: 'patchbay',
    allowedOrigins: [],
    extraEvents: [],
    maxSockets: 100,
  })
  const taken: AriServerConfig = link
  expect(ariServerTransport({ ...taken, name: 'apps' }).name).toBe('apps')
})

const FAULTY = [
  {
    name: 'two users of one name',
    text: file('users: [{ name: a, password: x }, { name: a, password: y }]'),
    want: ['p.yaml:4:47: config.value: a name stands twice; give each user a name of its own'],
  },
  {
    name: 'a user that no Basic authentication could name, an origin with a path, a type of event with a dot',
    text: file('users: [{ name: "a:b", password: x }], allowedOrigins: ["https://h/p"], extraEvents: [a.b]'),
    want: [
      expect.stringContaining('want a name without spaces and colons') as string,
      expect.stringContaining('want http[s]://host[:port], or `*`') as string,
      expect.stringContaining('want names of event types, such as MyEvent') as string,
    ],
  },
  {
    name: 'TLS without a certificate',
    text: file(`${users}, tls: { ca: "-----BEGIN CERTIFICATE-----" }`),
    want: ['p.yaml:4:101: config.value: a server needs a certificate; want `cert` and `key`'],
  },
  {
    name: 'one port for two links, unless the system chooses it',
    text: file(users, `${users}, port: 8088`, `${users}, port: 0`, `${users}, port: 0`, `${users}, port: 8089`),
    want: [
      'p.yaml:5:107: config.link: `links.apps0` listens on 127.0.0.1:8088 too; give each link a `port` of its own',
    ],
  },
  {
    name: 'one port for applications and for an Asterisk that connects by itself',
    text: file(`${users}, port: 8090`).replace(
      'routes:',
      '  pbx: { type: ari, dialect: stasis, username: u, password: p, url: "http://pbx:8088", listen: { port: 8090, username: a, password: b } }\nroutes:',
    ),
    want: [
      expect.stringMatching(
        /config\.link: `links\.apps0` listens on 127\.0\.0\.1:8090 too; give each link a `port` of its own/,
      ) as string,
    ],
  },
  {
    name: 'a route from it',
    text: `${file(users)}  - { from: apps0, to: bus }\n`,
    want: [
      expect.stringContaining('messages can come back by this route') as string,
      'p.yaml:7:13: config.route: nothing is ever taken from `apps0`: applications only listen there; name it in `to`',
    ],
  },
]
for (const { name, text, want } of FAULTY) test(`faults: ${name}`, () => expect(faultsOf(text)).toEqual(want))
