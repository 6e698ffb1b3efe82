import { expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { createHealth } from '../../src/telemetry/health.js'
import type { LinkEvent } from '../../src/transports/transport.js'

const up: LinkEvent = { kind: 'up' }
const consuming: LinkEvent = { kind: 'consuming', source: 'q' }
const interrupted: LinkEvent = { kind: 'interrupted', source: 'q' }
const down: LinkEvent = { kind: 'down', error: new GatewayError('link.lost', 'heartbeat missed') }
const reconnecting: LinkEvent = { kind: 'reconnecting', attempt: 1, delayMs: 10 }
const fault: LinkEvent = { kind: 'fault', error: new GatewayError('link.forbidden', 'no') }

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
    name: 'back again',
    isSource: true,
    events: [up, down, reconnecting, up, consuming],
    ready: true,
    state: 'consuming',
  },
  {
    name: 'a fault alone is not the end of a link',
    isSource: false,
    events: [up, fault],
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
