import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { ariServerTransport } from '../../../src/transports/ari-server/index.js'
import { recorder } from '../recorder.js'
import { type Stand, stand, USERS } from './stand.js'
import { start } from './story.js'

let server: Stand | undefined
afterEach(() => server?.stop())
const open = async (config: Parameters<typeof stand>[0] = {}) => {
  server = await stand(config)
  return server
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
  const { ask, base } = await open({ bodyBytes: 2048 })
  const large = 'x'.repeat(5000)
  const told = await ask('POST', '/ari/events/user/a', { body: large }).catch(() => undefined)
  if (told !== undefined) expect(told).toMatchObject({ status: 413, body: { message: 'Request body too large' } })
  const url = new URL(base)
  const socket = connect(Number(url.port), url.hostname)
  const credentials = Buffer.from('bridge:bridge').toString('base64')
  socket.write(
    `POST /ari/events/user/a HTTP/1.1\r\nhost: x\r\nauthorization: Basic ${credentials}\r\ntransfer-encoding: chunked\r\n\r\n1388\r\n${large}\r\n`,
  )
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /)
  await once(socket, 'close')
})

test('whoever takes too long over a request is cut off', async () => {
  const { base } = await open({ requestTimeoutMs: 200 })
  const url = new URL(base)
  const socket = connect(Number(url.port), url.hostname)
  socket.write('GET /ari/channels HTTP/1.1\r\nhost: ')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += String(chunk)
  })
  await once(socket, 'close')
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
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
  const started = performance.now()
  await transport.stop()
  expect(performance.now() - started).toBeLessThan(2000)
})

test('a stop before the start, or after one that failed, ends at once', async () => {
  await ariServerTransport({ users: USERS }).stop()
})
