import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type AdminServer, startAdmin } from '../../src/telemetry/admin.js'
import { createHealth } from '../../src/telemetry/health.js'
import { createLog } from '../../src/telemetry/log.js'
import { createMetrics } from '../../src/telemetry/metrics.js'

const servers: AdminServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
})

async function start(text?: () => Promise<string>) {
  const lines: string[] = []
  const metrics = createMetrics({ links: ['bus'], routes: [], version: '1', process: false })
  const health = createHealth([{ name: 'bus', isSource: false }])
  const server = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    metrics: text === undefined ? metrics : { contentType: 'text/plain', text },
    readiness: () => health.read(),
    rules: () => ({ revision: 'r1' }),
    log: createLog({ level: 'info', format: 'json' }, { write: (line) => lines.push(line) }),
  })
  servers.push(server)
  const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method })
  return { server, health, get, lines }
}

test('/livez answers while the process does', async () => {
  const { get } = await start()
  const response = await get('/livez')
  expect([response.status, await response.text()]).toEqual([200, 'ok\n'])
})

test('/readyz tells the truth about each link', async () => {
  const { get, health } = await start()
  const before = await get('/readyz')
  expect([before.status, await before.json()]).toMatchObject([
    503,
    { ready: false, links: { bus: { ready: false, state: 'starting' } } },
  ])
  health.report('bus', { kind: 'up' })
  const after = await get('/readyz?verbose')
  expect([after.status, await after.json()]).toMatchObject([
    200,
    { ready: true, links: { bus: { state: 'connected' } } },
  ])
  health.stop()
  expect((await get('/readyz')).status).toBe(503)
})

test('/metrics is in the format that Prometheus asks for', async () => {
  const { get } = await start()
  const response = await get('/metrics')
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4')
  expect(await response.text()).toContain('gateway_link_up{link="bus"} 0\n')
})

test('/rules tells which rules hold', async () => {
  const { get } = await start()
  const response = await get('/rules')
  expect([response.status, await response.json()]).toEqual([200, { revision: 'r1' }])
})

const others = [
  { name: 'another path', path: '/', method: 'GET', status: 404 },
  { name: 'a path below', path: '/metrics/x', method: 'GET', status: 404 },
  { name: 'another method', path: '/livez', method: 'POST', status: 405 },
  { name: 'HEAD', path: '/readyz', method: 'HEAD', status: 503 },
]
for (const { name, path, method, status } of others) {
  test(`${name} gives ${status}`, async () => {
    const { get } = await start()
    expect((await get(path, method)).status).toBe(status)
  })
}

test('a failure inside is a 500 without details, and a line in the log', async () => {
  const { get, lines } = await start(() => Promise.reject(new Error('inner matter')))
  const response = await get('/metrics')
  expect([response.status, await response.text()]).toEqual([500, 'internal error\n'])
  expect(lines.join('')).toContain('inner matter')
})

test('a port that is taken is an error with its address', async () => {
  const { server } = await start()
  const options = { host: '127.0.0.1', port: server.port, metrics: { contentType: '', text: async () => '' } }
  const log = createLog({ level: 'silent', format: 'json' })
  const readiness = () => ({ ready: true, stopping: false, links: {} })
  await expect(startAdmin({ ...options, log, readiness, rules: () => ({}) })).rejects.toMatchObject({
    code: 'config.invalid',
    message: `the admin server cannot listen on 127.0.0.1:${server.port}`,
  })
})

test('stop ends idle connections, frees the port and may be called twice', async () => {
  const { server } = await start()
  const socket = connect(server.port, '127.0.0.1')
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await new Promise((resolve) => socket.once('connect', resolve))
  await Promise.all([server.stop(), server.stop()])
  await closed
  await expect(fetch(`http://127.0.0.1:${server.port}/livez`)).rejects.toThrow()
})
