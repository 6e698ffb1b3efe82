import { expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { createHealth } from '../../src/telemetry/health.js'
import { createMetrics } from '../../src/telemetry/metrics.js'
import { readStatus } from '../../src/telemetry/status.js'

const ROUTES = [
  { name: 'in', from: 'legacy', to: 'bus' },
  { name: 'out', from: 'bus', to: 'legacy' },
]

test('the status names each link, route and lease', async () => {
  const links = ['legacy', 'bus']
  const metrics = createMetrics({ links, routes: ROUTES, version: '1', process: false })
  const health = createHealth(
    links.map((name) => ({ name, isSource: true })),
    () => 0,
  )
  metrics.link('legacy').inFlight(3)
  metrics.link('legacy').holds(true)
  for (let at = 0; at < 5; at++) metrics.route('in', 'bus').sent()
  for (const name of links) for (const kind of ['up', 'consuming'] as const) health.report(name, { kind, source: 'q' })
  const error = new GatewayError('link.lost', 'closed by nats://gw:secret@broker')
  const status = { group: 'gw', version: '1', health, metrics, routes: () => ROUTES, revision: () => 'r1' }
  expect(await readStatus(status)).toMatchObject({ ready: true, routes: [{ ready: true }, { ready: true }] })
  health.report('bus', { kind: 'down', error })
  const since = '1970-01-01T00:00:00.000Z'
  const message = 'closed by nats://***@broker'
  expect(await readStatus(status)).toMatchObject({
    group: 'gw',
    version: '1',
    revision: 'r1',
    ready: false,
    stopping: false,
    links: {
      legacy: { ready: true, state: 'consuming', since, inFlight: 3, reconnects: 0 },
      bus: { ready: false, state: 'down', inFlight: 0, lastError: { at: since, code: 'link.lost', message } },
    },
    routes: [
      { ...ROUTES[0], ready: false, sent: 5 },
      { ...ROUTES[1], ready: false, sent: 0 },
    ],
    leases: ['legacy'],
  })
})
