import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { ariServerTransport } from '../../../src/transports/ari-server/index.js'
import { recorder } from '../recorder.js'
import { type Stand, stand, USERS } from './stand.js'
import { APP, start } from './story.js'

let server: Stand | undefined
afterEach(() => server?.stop())
const open = async (config: Parameters<typeof stand>[0] = {}) => {
  server = await stand(config)
  return server
}

/** A connection on which a test writes what no client would. Its own half stays open until it is destroyed. */
function dial(): Socket {
  const { hostname, port } = new URL(server!.base)
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
  socket.on('error', () => undefined)
  return socket
}

test('pages of origins that are allowed may ask, others may not, and what is no page always may', async () => {
  const { ask } = await open({ allowedOrigins: ['https://ours'] })
  expect(await ask('GET', '/ari/channels')).toMatchObject({ status: 200 })
  const ours = await ask('GET', '/ari/channels', { headers: { origin: 'https://ours' } })
  expect(ours.status).toBe(200)
  expect(ours.headers.get('access-control-allow-origin')).toBe('https://ours')
  expect(ours.headers.get('access-control-allow-credentials')).toBe('true')
  const theirs = await ask('GET', '/ari/channels', { headers: { origin: 'https://theirs' } })
  expect(theirs).toMatchObject({ status: 403, body: { message: 'Origin not allowed' } })
  expect(theirs.headers.get('access-control-allow-origin')).toBeNull()
})

test('a browser may ask before it asks, without credentials', async () => {
  const { ask } = await open({ allowedOrigins: ['*'] })
  const headers = { origin: 'https://any', 'access-control-request-method': 'PUT' }
  const before = await ask('OPTIONS', '/ari/applications/a/eventFilter', { as: '', headers })
  expect(before.status).toBe(204)
  expect(before.headers.get('access-control-allow-methods')).toContain('PUT')
  expect(before.headers.get('access-control-allow-headers')).toContain('authorization')
  expect(await ask('OPTIONS', '/ari/channels', { as: '' })).toMatchObject({ status: 401 })
})

test('a body larger than allowed is refused, whether its size was told or not', async () => {
  await open({ bodyBytes: 2048 })
  const large = 'x'.repeat(5000)
  const head = 'POST /ari/events/user/a?api_key=bridge:bridge HTTP/1.1\r\nhost: x\r\n'
  const requests = {
    'a told length': `${head}content-length: 5000\r\n\r\n${large}`,
    'a told length, of which only a part came': `${head}content-length: 5000\r\n\r\n${large.slice(0, 3000)}`,
    'an untold length': `${head}transfer-encoding: chunked\r\n\r\n1388\r\n${large}\r\n`,
  }
  for (const [size, asked] of Object.entries(requests)) {
    const socket = dial()
    socket.write(asked)
    const answer = await text(socket)
    expect(answer, size).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer, size).toMatch(/\r\n\r\n\{"message":"Request body too large"\}$/)
    socket.destroy()
  }
})

/** A request with a JSON body, which `fetch` sends with no GET. */
async function bodied(method: string, path: string, user: string, body: string) {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const asked = request(`${server!.base}/ari/${path}`, { method, auth: `${user}:${user}`, headers })
  asked.end(body)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: response.statusCode, body: JSON.parse(await text(response)) as unknown }
}

/** The same over the event socket. */
async function framed(method: string, uri: string, user: string, body: string) {
  const authorization = `Basic ${Buffer.from(`${user}:${user}`).toString('base64')}`
  const ear = await server!.listen(`app=${APP}-frames`, { headers: { authorization } })
  const frame = { type: 'RESTRequest', method, uri, content_type: 'application/json', message_body: body }
  ear.socket.send(JSON.stringify(frame))
  const [answer] = await ear.until(1)
  return { status: answer!.status_code, body: JSON.parse(String(answer!.message_body)) as unknown }
}

const WAYS = { 'over HTTP': bodied, 'over the event socket': framed }
const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
const PECULIAR = { 'an object that hides toString': '{"toString":1}', 'lists within lists': DEEP, null: 'null' }
const PLACES = Object.entries(WAYS).flatMap(([way, ask]) =>
  Object.entries(PECULIAR).map(([name, value]) => ({ way, ask, name, value })),
)
test.each(PLACES)('of a list only what can be a parameter counts, $way: $name', async ({ ask, value }) => {
  await open()
  const read = (only: string) => ask('GET', 'asterisk/info', 'readonly', `{"only":${only}}`)
  expect(Object.keys((await read(`[${value}]`)).body as object)).toContain('build')
  expect(await read(`[${value},"config"]`)).toMatchObject({ status: 200, body: { config: { name: 'ast1' } } })
  expect(Object.keys((await read(`[${value},"config",7,true]`)).body as object)).toEqual(['config'])
})

test.each(Object.entries(WAYS))('an operation that throws is a server error and a fault, %s', async (_, ask) => {
  const { listen, link } = await open()
  const ear = await listen()
  const answer = await ask('POST', `events/user/a?application=${APP}`, 'bridge', `{"variables":{"a":${DEEP}}}`)
  expect(answer).toEqual({ status: 500, body: { message: 'Internal server error' } })
  expect(link.of('fault').map(({ error }) => `${error.code} ${error.message}`)).toEqual([
    'link.refused ari-server: POST /events/user/{eventName} failed',
  ])
  expect(link.of('fault')[0]!.error.cause).toBeInstanceOf(RangeError)
  expect(await ask('GET', 'asterisk/ping', 'bridge', '')).toMatchObject({ status: 200 })
  expect(ear.heard).toEqual([])
})

/** Asks for an upgrade without saying who asks, and reads the refusal. */
async function refusedUpgrade(): Promise<Socket> {
  const socket = dial()
  socket.write('GET /ari/events?app=x HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += String(chunk)
  })
  await once(socket, 'end')
  expect(answer).toMatch(/^HTTP\/1\.1 401 [\s\S]*\r\n\r\n\{"message":"Authentication required"\}$/)
  return socket
}

test('a connection that may not become a WebSocket is ended, though its client keeps its half open', async () => {
  await open()
  const socket = await refusedUpgrade()
  // What is written to nobody comes back as an error, which ends our half too.
  const isEnded = () => {
    socket.write('x')
    return socket.destroyed
  }
  await expect.poll(isEnded, { interval: 20 }).toBe(true)
})

test('a refused connection does not keep a stop', async () => {
  const { transport } = await open({ stopGraceMs: 300 })
  await refusedUpgrade()
  await stopsWithin(transport.stop(), 2000)
})

async function stopsWithin(stop: Promise<void>, limitMs: number): Promise<void> {
  const late = delay(limitMs, 'late', { ref: false })
  expect(await Promise.race([stop.then(() => 'stopped'), late])).toBe('stopped')
}

test('whoever takes too long over a request is cut off', async () => {
  await open({ requestTimeoutMs: 200 })
  const socket = dial()
  socket.write('GET /ari/channels HTTP/1.1\r\nhost: ')
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 /)
  socket.destroy()
})

test('an address that is taken cannot be listened on', async () => {
  const { transport } = await open()
  const second = ariServerTransport({ name: 'second', port: transport.address()!.port, users: USERS })
  await expect(second.start(recorder())).rejects.toMatchObject({
    code: 'link.connect',
    message: `second: cannot listen on 127.0.0.1:${transport.address()!.port}`,
  })
})

test('it is up from start to stop, and a stop says goodbye', async () => {
  const { transport, link, listen, tell } = await open()
  const ear = await listen()
  await tell(start('c1'))
  await transport.drain()
  await tell(start('c2'))
  const closed = once(ear.socket, 'close') as Promise<[number, Buffer]>
  await Promise.all([transport.stop(), transport.stop()])
  expect((await closed)[0]).toBe(1001)
  expect(ear.types()).toEqual(['StasisStart', 'StasisStart'])
  expect(link.events.map(({ kind }) => kind)).toEqual(['up', 'down'])
  expect(transport.address()).toBeUndefined()
  await expect(tell(start('c3'))).rejects.toMatchObject({ code: 'gateway.stopping', fate: 'retry' })
})

test('a stop does not wait longer than allowed for a client that does not answer', async () => {
  const { transport, listen } = await open({ stopGraceMs: 300 })
  const ear = await listen()
  ear.socket.pause()
  await stopsWithin(transport.stop(), 2000)
})

test('a stop before the start, or after one that failed, ends at once', async () => {
  const { transport: first } = await open()
  const { port } = first.address()!
  await stopsWithin(ariServerTransport({ users: USERS }).stop(), 200)
  const link = recorder()
  const second = ariServerTransport({ port, users: USERS })
  await expect(second.start(link)).rejects.toMatchObject({ code: 'link.connect' })
  await stopsWithin(second.stop(), 200)
  expect(link.events).toEqual([{ kind: 'down' }])
  expect(first.address()).toMatchObject({ port })
  await stopsWithin(first.stop(), 200)
})
