import { expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { createHealth } from '../../src/telemetry/health.js'
import type { LinkEvent } from '../../src/transports/transport.js'

const up: LinkEvent = { kind: 'up' }
const consuming: LinkEvent = { kind: 'consuming', source: 'q' }
const interrupted: LinkEvent = { kind: 'interrupted', source: 'q' }
const down: LinkEvent = { kind: 'down', error: new GatewayError('link.lost', 'heartbeat missed') }
const reconnecting: LinkEvent = { kind: 'reconnecting', attempt: 1, delayMs: 10 }
const fault: LinkEvent = { kind: 'fault', error: new GatewayError('link.refused', 'no') }
const forbidden: LinkEvent = { kind: 'fault', error: new GatewayError('link.forbidden', 'forbids publishing to "a"') }

const trouble = (of: string, message: string): LinkEvent => ({
  kind: 'trouble',
  of,
  error: new GatewayError('link.lost', message),
})
const mended = (of: string): LinkEvent => ({ kind: 'mended', of })

const stories: {
  name: string
  isSource: boolean
  events: LinkEvent[]
  ready: boolean
  state: string
  reason?: string
}[] = [
  { name: 'nothing yet', isSource: false, events: [], ready: false, state: 'starting' },
  { name: 'a target is ready once connected', isSource: false, events: [up], ready: true, state: 'connected' },
  {
    name: 'a source is not',
    isSource: true,
    events: [up],
    ready: false,
    state: 'connected',
    reason: 'does not consume yet',
  },
  {
    name: 'a source is ready once it consumes',
    isSource: true,
    events: [up, consuming, consuming],
    ready: true,
    state: 'consuming',
  },
  {
    name: 'a source that consumes before all its connections stand is ready once they do',
    isSource: true,
    events: [consuming, up],
    ready: true,
    state: 'consuming',
  },
  {
    name: 'a source that only consumes is not ready',
    isSource: true,
    events: [consuming],
    ready: false,
    state: 'starting',
  },
  {
    name: 'what was consumed before an interruption does not count after it',
    isSource: true,
    events: [consuming, up, interrupted, down, up],
    ready: false,
    state: 'connected',
    reason: 'does not consume yet',
  },
  {
    name: 'a source that consumes over a reconnect is ready again with its connection',
    isSource: true,
    events: [consuming, up, down, reconnecting, up],
    ready: true,
    state: 'consuming',
  },
  {
    name: 'an interruption on a connection that stands',
    isSource: true,
    events: [consuming, up, interrupted],
    ready: false,
    state: 'connected',
    reason: 'does not consume',
  },
  {
    name: 'down with a reason',
    isSource: true,
    events: [up, consuming, down],
    ready: false,
    state: 'down',
    reason: 'heartbeat missed',
  },
  {
    name: 'the reason outlives the tries',
    isSource: true,
    events: [up, down, reconnecting, reconnecting],
    ready: false,
    state: 'reconnecting',
    reason: 'heartbeat missed',
  },
  {
    name: 'who stands by without the connection that it needs is down, until it comes back',
    isSource: true,
    events: [up, consuming, down, { kind: 'standby', isDown: true }],
    ready: false,
    state: 'down',
    reason: 'heartbeat missed',
  },
  {
    name: 'who lost its connection while another took over stands by when it is back',
    isSource: true,
    events: [up, consuming, down, { kind: 'standby', isDown: true }, reconnecting, up],
    ready: true,
    state: 'standby',
  },
  {
    name: 'back again',
    isSource: true,
    events: [up, down, reconnecting, up, consuming],
    ready: true,
    state: 'consuming',
  },
  {
    name: 'the reason is the last one',
    isSource: false,
    events: [up, down, reconnecting, fault],
    ready: false,
    state: 'reconnecting',
    reason: 'no',
  },
  {
    name: 'why it does not consume',
    isSource: true,
    events: [up, consuming, interrupted, fault],
    ready: false,
    state: 'connected',
    reason: 'does not consume: no',
  },
  {
    name: 'a link that does not consume any more is not ready although nothing is translated from there',
    isSource: false,
    events: [up, consuming, interrupted],
    ready: false,
    state: 'connected',
    reason: 'does not consume',
  },
  {
    name: 'what does not work on a connection that stands',
    isSource: true,
    events: [up, consuming, trouble('a', 'exchange gone'), trouble('b', 'silent')],
    ready: false,
    state: 'troubled',
    reason: 'exchange gone',
  },
  {
    name: 'one trouble mended, another left',
    isSource: true,
    events: [up, consuming, trouble('a', 'exchange gone'), trouble('b', 'silent'), mended('a')],
    ready: false,
    state: 'troubled',
    reason: 'silent',
  },
  {
    name: 'out of trouble it is what it was',
    isSource: true,
    events: [up, consuming, trouble('a', 'exchange gone'), mended('a'), mended('a')],
    ready: true,
    state: 'consuming',
  },
  {
    name: 'troubles end by the word of who told of them, whatever becomes of a connection',
    isSource: true,
    events: [up, consuming, trouble('a', 'silent'), trouble('b', 'gone'), down, mended('a'), up],
    ready: false,
    state: 'troubled',
    reason: 'gone',
  },
  {
    name: 'a peer that took nothing is asked anew on the next connection',
    isSource: true,
    events: [up, consuming, { kind: 'blocked', reason: 'low on memory' }, down, up],
    ready: true,
    state: 'consuming',
  },
  {
    name: 'a replica that stands by is not ready where its connection is in trouble',
    isSource: true,
    events: [up, { kind: 'standby' }, trouble('a', 'silent')],
    ready: false,
    state: 'troubled',
    reason: 'silent',
  },
  {
    name: 'a peer that takes nothing',
    isSource: false,
    events: [up, { kind: 'blocked', reason: 'low on memory' }],
    ready: false,
    state: 'troubled',
    reason: 'the peer takes nothing for now: low on memory',
  },
  {
    name: 'a peer that takes again',
    isSource: false,
    events: [up, { kind: 'blocked', reason: 'low on memory' }, { kind: 'unblocked' }],
    ready: true,
    state: 'connected',
  },
  {
    name: 'a fault alone is not the end of a link',
    isSource: false,
    events: [up, fault],
    ready: true,
    state: 'connected',
  },
  {
    name: 'why a try to connect failed counts more than why the connection was lost',
    isSource: false,
    events: [up, down, reconnecting, fault, reconnecting],
    ready: false,
    state: 'reconnecting',
    reason: 'no',
  },
  {
    name: 'so does why the first try failed',
    isSource: true,
    events: [fault, reconnecting],
    ready: false,
    state: 'reconnecting',
    reason: 'no',
  },
  {
    name: 'a link that is forbidden something stands, and is not ready',
    isSource: false,
    events: [up, forbidden],
    ready: false,
    state: 'troubled',
    reason: 'forbids publishing to "a"',
  },
  {
    name: 'what was forbidden on one connection may be allowed on the next',
    isSource: false,
    events: [up, forbidden, down, up],
    ready: true,
    state: 'connected',
  },
]
for (const { name, isSource, events, ready, state, reason } of stories) {
  test(`health: ${name}`, () => {
    const health = createHealth([{ name: 'l', isSource }], () => 0)
    for (const event of events) health.report('l', event)
    const read = health.read()
    expect(read.links.l).toMatchObject({ ready, state, since: '1970-01-01T00:00:00.000Z' })
    if (reason !== undefined) expect(read.links.l?.reason).toBe(reason)
    expect(read.ready).toBe(ready)
  })
}

test('a link that stood by is as it is when its messages are to be taken here', () => {
  const health = createHealth([{ name: 'l', isSource: true }], () => 0)
  for (const event of [up, { kind: 'standby' }, down] as const) health.report('l', event)
  health.begin('l')
  expect(health.read().links.l).toMatchObject({ ready: false, state: 'down', reason: 'heartbeat missed' })
  health.report('l', up)
  expect(health.read().links.l).toMatchObject({ ready: false, state: 'connected', reason: 'does not consume yet' })
})

test('one link down makes the gateway not ready, and stopping does too', () => {
  const health = createHealth([
    { name: 'a', isSource: false },
    { name: 'b', isSource: false },
  ])
  health.report('a', up)
  expect(health.read().ready).toBe(false)
  health.report('b', up)
  expect(health.read().ready).toBe(true)
  health.stop()
  expect(health.read()).toMatchObject({ ready: false, stopping: true })
})

test('what was forbidden once counts for a minute', () => {
  let at = 0
  const health = createHealth([{ name: 'a', isSource: false }], () => at)
  health.report('a', up)
  health.report('a', forbidden)
  at = 60_000
  expect(health.read()).toMatchObject({ ready: false, links: { a: { reason: 'forbids publishing to "a"' } } })
  at = 60_001
  expect(health.read().ready).toBe(true)
})

test('a link tells how often it was connected again, and what went wrong last, without credentials', () => {
  const health = createHealth([{ name: 'l', isSource: false }], () => 0)
  expect(health.links().l).toEqual({ ...health.read().links.l, reconnects: 0 })
  const error = new GatewayError('link.connect', 'cannot open amqp://gw:secret@broker')
  for (const event of [up, down, reconnecting, { kind: 'fault', error }, reconnecting] as const)
    health.report('l', event)
  expect(health.links().l).toMatchObject({
    state: 'reconnecting',
    reconnects: 2,
    lastError: { at: '1970-01-01T00:00:00.000Z', code: 'link.connect', message: 'cannot open amqp://***@broker' },
  })
})

test('a reason that becomes known later does not begin the state anew', () => {
  let now = 0
  const health = createHealth([{ name: 'l', isSource: true }], () => now)
  for (const event of [up, consuming, interrupted] as const) health.report('l', event)
  now = 1000
  health.report('l', fault)
  expect(health.read().links.l).toMatchObject({ reason: 'does not consume: no', since: '1970-01-01T00:00:00.000Z' })
  health.report('l', consuming)
  expect(health.read().links.l).toMatchObject({ ready: true, since: '1970-01-01T00:00:01.000Z' })
})
