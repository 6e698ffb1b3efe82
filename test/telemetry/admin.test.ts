import { connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { type AdminOptions, type AdminServer, startAdmin } from '../../src/telemetry/admin.js'
import { createHealth } from '../../src/telemetry/health.js'
import { createLog } from '../../src/telemetry/log.js'
import { createMetrics } from '../../src/telemetry/metrics.js'

const servers: AdminServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
})

interface Wishes {
  readonly text?: () => Promise<string>
  readonly token?: string
  readonly outcome?: 'applied' | 'refused' | 'unchanged'
}

const TOKEN = 'a-token-of-the-tests'
const PASSWORD = 'sesame opens "it'

async function start({ text, token, outcome = 'applied' }: Wishes = {}) {
  let live = true
  let looks = 0
  const lines: string[] = []
  const metrics = createMetrics({ links: ['bus'], routes: [], version: '1', process: false })
  const health = createHealth([{ name: 'bus', isSource: false }])
  const log = createLog({ level: 'info', format: 'json' }, { write: (line) => lines.push(line) }, [PASSWORD])
  const server = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    metrics: text === undefined ? metrics : { contentType: 'text/plain', text },
    ...(token !== undefined && { token }),
    liveness: () => (live ? { live } : { live, reason: 'it stalls' }),
    readiness: () => health.read(),
    status: async () => ({ links: { bus: { url: 'nats://gw:hidden@broker', said: `who says ${PASSWORD}?` } } }),
    rules: () => ({ revision: 'r1' }),
    async reload() {
      looks += 1
      return { outcome }
    },
    withoutSecrets: log.withoutSecrets,
    log,
  })
  servers.push(server)
  const get = (path: string, method = 'GET', headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers })
  const stall = () => {
    live = false
  }
  return { server, health, get, lines, stall, looks: () => looks }
}

/** All that comes until the server ends the connection. */
async function answersOn(socket: Socket): Promise<string> {
  let text = ''
  for await (const piece of socket.setEncoding('utf8')) text += piece
  return text
}

test('/livez says whether the process gets its work done', async () => {
  const { get, stall } = await start()
  const response = await get('/livez')
  expect([response.status, await response.text()]).toEqual([200, 'ok\n'])
  stall()
  const stalled = await get('/livez')
  expect([stalled.status, await stalled.text()]).toEqual([503, 'it stalls\n'])
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

test('/status tells no credentials', async () => {
  const { get } = await start()
  const response = await get('/status')
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({ links: { bus: { url: 'nats://***@broker', said: 'who says ***?' } } })
})

test('/readyz tells no secret, whatever a peer says', async () => {
  const { get, health } = await start()
  health.report('bus', { kind: 'fault', error: new GatewayError('link.connect', `broker says: no ${PASSWORD} here`) })
  const text = await (await get('/readyz')).text()
  expect(text).toContain('broker says: no *** here')
})

const reloads = [
  { name: 'without a configured token', token: undefined, given: `Bearer ${TOKEN}`, status: 403 },
  { name: 'without a token', token: TOKEN, given: undefined, status: 401 },
  { name: 'with a wrong token', token: TOKEN, given: `Bearer ${TOKEN}x`, status: 401 },
  { name: 'with the beginning of the token', token: TOKEN, given: `Bearer ${TOKEN.slice(0, -1)}`, status: 401 },
  { name: 'with another scheme', token: TOKEN, given: `Basic ${TOKEN}`, status: 401 },
  { name: 'with the token', token: TOKEN, given: `Bearer ${TOKEN}`, status: 200 },
]
test.each(reloads)('POST /reload $name gives $status, and looks only then', async ({ token, given, status }) => {
  const { get, looks, lines } = await start(token === undefined ? {} : { token })
  const response = await get('/reload', 'POST', given === undefined ? {} : { authorization: given })
  expect([response.status, looks()]).toEqual([status, status === 200 ? 1 : 0])
  if (status === 401) expect(response.headers.get('www-authenticate')).toBe('Bearer')
  expect((await response.text()) + lines.join('')).not.toContain(TOKEN)
})

test('a refused reload says so by its status, too', async () => {
  const { get } = await start({ token: TOKEN, outcome: 'refused' })
  const response = await get('/reload', 'POST', { authorization: `Bearer ${TOKEN}` })
  expect([response.status, await response.json()]).toEqual([422, { outcome: 'refused' }])
})

test('a body that nobody wants is read to its end, and the connection goes on', async () => {
  const { server } = await start({ token: TOKEN })
  const socket = connect(server.port, '127.0.0.1')
  const body = 'x'.repeat(200_000)
  const head = `Host: x\r\nAuthorization: Bearer ${TOKEN}\r\n`
  socket.write(`POST /reload HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`)
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect((await answersOn(socket)).match(/^HTTP\/1.1 \d+/gm)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200'])
})

test('headers beyond the bound are refused', async () => {
  const { get } = await start()
  expect((await get('/livez', 'GET', { 'x-large': 'x'.repeat(9000) })).status).toBe(431)
})

test('a peer that says nothing loses its connection', async () => {
  const { server } = await start()
  const socket = connect(server.port, '127.0.0.1')
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n')
  expect(await answersOn(socket)).toMatch(/^HTTP\/1.1 408/)
}, 20_000)

test('the admin port bears so many connections and no more, and a place that is left can be taken', async () => {
  const { server, get } = await start()
  const sockets = Array.from({ length: 110 }, () => connect(server.port, '127.0.0.1').on('error', () => undefined))
  await expect.poll(() => sockets.filter((socket) => socket.closed).length).toBe(10)
  await expect(get('/livez')).rejects.toThrow()
  for (const socket of sockets) socket.destroy()
  await expect.poll(async () => (await get('/livez').catch(() => undefined))?.status).toBe(200)
})

const others = [
  { name: 'another path', path: '/', method: 'GET', status: 404 },
  { name: 'a path below', path: '/metrics/x', method: 'GET', status: 404 },
  { name: 'another method', path: '/livez', method: 'POST', status: 405, allow: 'GET, HEAD' },
  { name: 'reading what changes something', path: '/reload', method: 'GET', status: 405, allow: 'POST' },
  { name: 'HEAD', path: '/readyz', method: 'HEAD', status: 503 },
]
for (const { name, path, method, status, allow = null } of others) {
  test(`${name} gives ${status}`, async () => {
    const { get } = await start()
    const response = await get(path, method)
    expect([response.status, response.headers.get('allow')]).toEqual([status, allow])
  })
}

test('a failure inside is a 500 without details, and a line in the log', async () => {
  const { get, lines } = await start({ text: () => Promise.reject(new Error('inner matter')) })
  const response = await get('/metrics')
  expect([response.status, await response.text()]).toEqual([500, 'internal error\n'])
  expect(lines.join('')).toContain('inner matter')
})

test('a port that is taken is an error with its address', async () => {
  const { server } = await start()
  const options: AdminOptions = {
    host: '127.0.0.1',
    port: server.port,
    metrics: { contentType: '', text: async () => '' },
    liveness: () => ({ live: true }),
    readiness: () => ({ ready: true, stopping: false, links: {} }),
    status: async () => ({}),
    rules: () => ({}),
    reload: async () => ({ outcome: 'unchanged' }),
    withoutSecrets: (json) => json,
    log: createLog({ level: 'silent', format: 'json' }),
  }
  await expect(startAdmin(options)).rejects.toMatchObject({
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
