import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { formatFault } from '../../src/config/fault.js'
import { parseConfig } from '../../src/config/load.js'
import { makeTransport } from '../../src/gateway/links.js'
import { type NatsConfig, natsTransport } from '../../src/transports/nats/index.js'
import { openText } from '../mapping/open.js'

const textOf = (more: string, routes = '  - { from: bus, to: legacy }') => `group: gw
links:
  legacy: { type: amqp, dialect: voice-events, url: "amqp://u:p@localhost" }
  bus: { type: nats, dialect: xcc, servers: [localhost], ${more} }
routes:
${routes}
`

function configOf(more: string) {
  const { config, faults } = parseConfig(textOf(more), 'p.yaml', {})
  if (config === undefined) throw new Error(faults.map(formatFault).join('\n'))
  return config
}

const faultsOf = (more: string) => (parseConfig(textOf(more), 'p.yaml', {}).faults ?? []).map(formatFault)

/** What the transport of the link is told to listen to, and to record. */
function heardAndRecorded(more: string, isSource = true): Pick<NatsConfig, 'subscriptions' | 'recording'> {
  const config = configOf(more)
  const link = config.links.bus
  if (link?.type !== 'nats') throw new Error('not a NATS link')
  const dialect = openText(readFileSync('mappings/xcc.yaml', 'utf8'))
  const made: NatsConfig[] = []
  makeTransport('bus', link, dialect, { isSource, isNode: true, nodes: ['a'] }, config, {
    nats(given) {
      made.push(given)
      return natsTransport(given)
    },
  })
  const { subscriptions, recording } = made[0]!
  return { ...(subscriptions && { subscriptions }), recording }
}

const DEFAULTS = {
  declare: true,
  maxAgeMs: 86_400_000,
  maxBytes: -1,
  replicas: 1,
  storage: 'file',
  ackWaitMs: 60_000,
  maxUnacked: 1000,
}

test('the word `jetstream` stands for all defaults, and one key leaves the others as they are', () => {
  expect(configOf('capture: jetstream').links.bus).toMatchObject({ capture: DEFAULTS })
  expect(configOf('capture: {}').links.bus).toMatchObject({ capture: DEFAULTS })
  const given = configOf('capture: { stream: S, replicas: 3 }').links.bus
  expect(given).toMatchObject({ capture: { ...DEFAULTS, stream: 'S', replicas: 3 } })
  expect(configOf('deliver: core').links.bus).not.toHaveProperty('capture')
})

const REQUESTS = [
  { subject: 'cn.xswitch.node.a', always: true },
  { subject: 'cn.xswitch.node.gw', always: true },
]

test('without capture all observed subjects are heard by whoever consumes, requests by every replica', () => {
  expect(heardAndRecorded('observe: [x.>], observePrefix: from-a.')).toEqual({
    subscriptions: [{ subject: 'from-a.x.>', prefix: 'from-a.' }, ...REQUESTS],
    recording: undefined,
  })
  const shared = heardAndRecorded('node: { shared: { queue: q } }', false)
  expect(shared.subscriptions).toEqual([...REQUESTS, { subject: 'cn.xswitch.node', queue: 'q', always: true }])
})

test('what is recorded is not heard besides', () => {
  expect(heardAndRecorded('observe: [x.>, y], observePrefix: from-a., capture: jetstream')).toEqual({
    subscriptions: REQUESTS,
    recording: {
      stream: {
        name: 'PATCHBAY_CAPTURE_gw_bus',
        subjects: ['from-a.x.>', 'from-a.y'],
        duplicateWindowMs: 0,
        declare: true,
        maxAgeMs: 86_400_000,
        maxBytes: -1,
        replicas: 1,
        storage: 'file',
      },
      anyStream: true,
      subjects: [
        { subject: 'from-a.x.>', prefix: 'from-a.' },
        { subject: 'from-a.y', prefix: 'from-a.' },
      ],
      consumer: 'patchbay=gw=bus',
      ackWaitMs: 60_000,
      maxUnacked: 1000,
    },
  })
})

test('of the observed subjects some may be recorded and the others heard; nothing is where no route begins', () => {
  const some = 'observe: [x.a.1, x.a.2, y], capture: { stream: S, subjects: [x.a.>] }'
  expect(heardAndRecorded(some)).toMatchObject({
    subscriptions: [{ subject: 'y' }, ...REQUESTS],
    recording: {
      stream: { name: 'S', subjects: ['x.a.>'] },
      anyStream: false,
      subjects: [{ subject: 'x.a.1' }, { subject: 'x.a.2' }],
    },
  })
  expect(heardAndRecorded(some, false)).toEqual({ subscriptions: REQUESTS, recording: undefined })
})

test('the stream that the link delivers to may record as well', () => {
  expect(faultsOf('deliver: jetstream, capture: jetstream')).toEqual([])
  expect(faultsOf('deliver: jetstream, capture: { stream: PATCHBAY }')).toEqual([])
  expect(faultsOf('deliver: jetstream, observe: [other.events.>], capture: { stream: OTHER }')).toEqual([])
})

const faulty = [
  {
    name: 'another word than jetstream',
    more: 'capture: yes please',
    want: ['p.yaml:4:67: config.value: `links.bus.capture` is the text "yes please"; want jetstream'],
  },
  {
    name: 'requests that would be recorded, also of a tenant',
    more: 'observe: ["cn.>"], observePrefix: from-a., capture: jetstream',
    want: [
      'p.yaml:4:68: config.stream: a stream over `from-a.cn.>` covers `*.cn.xswitch.node` and would answer requests itself; name event subjects only, such as cn.xswitch.ctrl.> and cn.xswitch.event.>',
    ],
  },
  {
    name: 'subjects that overlap, record a part, or nothing',
    more: 'observe: [x.a.>, y], capture: { subjects: [x.a.1, x.a.>, z, "y"] }',
    want: [
      'p.yaml:4:101: config.stream: `x.a.1` records only a part of the observed `x.a.>`; record all of it, or observe both parts by themselves',
      'p.yaml:4:108: config.subject: `x.a.>` and `x.a.1` overlap: NATS refuses such a stream; keep the wider one',
      'p.yaml:4:115: config.stream: nothing that is observed is recorded by `z`; name subjects that are in `observe`',
    ],
  },
  {
    name: 'a second stream beside the one that the link delivers to',
    more: 'deliver: jetstream, observe: [cn.xswitch.event.>, x], capture: { stream: S }',
    want: [
      'p.yaml:4:88: config.stream: `cn.xswitch.event.>` overlaps with `cn.xswitch.event.>` of the stream PATCHBAY, which this link delivers to; let that stream take all that is recorded, and name no other, or nothing of it',
    ],
  },
]
for (const { name, more, want } of faulty) {
  test(`capture faults: ${name}`, () => expect(faultsOf(more)).toEqual(want))
}
