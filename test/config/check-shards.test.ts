import { expect, test } from 'vitest'
import { formatFault } from '../../src/config/fault.js'
import { parseConfig } from '../../src/config/load.js'

const link = (shard: string, url = 'amqp://u:p@rabbit', more = '') =>
  `{ type: amqp, dialect: voice-events, url: '${url}', shard: ${shard}${more} }`
const [BY_HEADER, BY_ID] = [
  "{ exchange: cut, by: 'header:call-id' }",
  "{ exchange: cut, by: 'property:correlation-id' }",
]

const parse = (
  one: string,
  two: string,
  routes = '  - { from: one, to: bus }',
  beside = 'messages: [terminal-states]',
) =>
  parseConfig(
    `group: gw
links:
  one: ${one}
  two: ${two}
  legacy: { type: amqp, dialect: voice-events, url: 'amqp://u:p@rabbit', ${beside} }
  bus: { type: nats, dialect: xcc, servers: [localhost] }
routes:
  - { from: two, to: bus }
${routes}
`,
    'p.yaml',
    {},
  )

const refused = [
  {
    name: 'an exchange that cuts in two ways',
    two: link(BY_ID),
    want: ['p.yaml:4:', 'config.link: `links.one` has `cut` cut by header:call-id', 'want header:call-id, or another'],
  },
  {
    name: 'a header without a name',
    two: link("{ exchange: another, by: 'header:' }"),
    want: ['p.yaml:4:', 'want header:NAME, property:message-id or property:correlation-id'],
  },
  {
    name: 'a share of some messages',
    two: link(BY_HEADER, undefined, ', messages: [channel-states]'),
    want: ['p.yaml:4:', 'config.link: `messages` and `shard` stand together'],
  },
  {
    name: 'shares of another dialect',
    two: link(BY_HEADER).replace('voice-events', 'other'),
    want: ['p.yaml:4:', 'config.link: `links.one` takes messages of voice-events from `cut`'],
  },
  {
    name: 'a route to a share',
    routes: '  - { from: bus, to: one }',
    want: ['p.yaml:9:', 'config.route: `one` takes a share of the messages, and nothing is sent by it'],
  },
  {
    name: 'a link beside that takes the calls as well',
    routes: '  - { from: legacy, to: bus }',
    beside: 'prefetch: 9',
    want: ['p.yaml:5:', 'config.link: `links.one` takes a share of the calls there, and here all of them'],
  },
  {
    name: 'a picture that is asked of a share',
    routes: '  - { from: one, to: bus, sync: { ask: true } }',
    want: ['p.yaml:9:', 'config.route: `one` takes a share of the messages, and would get'],
  },
]
test.each(refused)('refused: $name', ({ two = link(BY_HEADER), routes, beside, want }) => {
  const { faults = [] } = parse(link(BY_HEADER), two, routes, beside)
  expect(faults).toHaveLength(1)
  for (const part of want) expect(formatFault(faults[0]!)).toContain(part)
})

test('shares of one exchange are taken, and of another broker by another header; nothing asks them for pictures', () => {
  const other = link("{ exchange: cut, by: 'header:other' }", 'amqp://u:p@elsewhere')
  for (const two of [link(BY_HEADER), other]) {
    const { config } = parse(link(BY_HEADER), two, '  - { from: legacy, to: bus }')
    expect(config?.routes.map(({ from, sync }) => [from, sync.ask])).toEqual([
      ['two', false],
      ['legacy', true],
    ])
  }
})
