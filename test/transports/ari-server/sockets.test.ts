import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Stand, stand } from './stand.js'
import { APP, created, type Event, end, endpointState, peerStatus, start, stateChange } from './story.js'

let server: Stand
beforeEach(async () => {
  server = await stand()
})
afterEach(() => server.stop())

const names = async () =>
  ((await server.ask('GET', '/ari/applications')).body as { name: string }[]).map(({ name }) => name)
const application = async (name = APP) => (await server.ask('GET', `/ari/applications/${name}`)).body

interface Refusal {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: string
}

/** The answer to an upgrade that is refused. */
function refused(
  path: string,
  options: { protocols?: string[]; headers?: Record<string, string> } = {},
): Promise<Refusal> {
  const url = `${server.base.replace('http', 'ws')}${path}`
  const socket = new WebSocket(url, options.protocols ?? [], { headers: options.headers ?? {} })
  return new Promise((resolve, reject) => {
    socket.on('error', () => undefined)
    socket.on('open', () => reject(new Error('it was not refused')))
    socket.on('unexpected-response', (_, response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
  })
}

const basic = (credentials: string) => ({ authorization: `Basic ${Buffer.from(credentials).toString('base64')}` })
const KEY = 'api_key=bridge:bridge'
const REFUSED = [
  {
    name: 'a wrong password',
    path: '/ari/events?api_key=bridge:wrong&app=x',
    status: 401,
    body: '{"message":"Authentication required"}',
  },
  {
    name: 'an unknown user',
    path: '/ari/events?api_key=nobody:bridge&app=x',
    status: 401,
    body: '{"message":"Authentication required"}',
  },
  { name: 'no credentials', path: '/ari/events?app=x', status: 401, body: '{"message":"Authentication required"}' },
  {
    name: 'a wrong header before a right key',
    path: `/ari/events?${KEY}&app=x`,
    headers: basic('bridge:wrong'),
    status: 401,
    body: '{"message":"Authentication required"}',
  },
  {
    name: 'no application',
    path: `/ari/events?${KEY}&app=`,
    status: 400,
    body: '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\r\n<html><head>\r\n<title>400 Bad Request</title>\r\n</head><body>\r\n<h1>Bad Request</h1>\r\n<p>HTTP request is missing param: [app]</p>\r\n<hr />\r\n<address>Asterisk</address>\r\n</body></html>\r\n',
  },
  { name: 'an unknown sub-protocol', path: `/ari/events?${KEY}&app=x`, protocols: ['other'], status: 400, body: '' },
  { name: 'another place', path: `/ari/channels?${KEY}&app=x`, status: 404, body: '{"message":"Resource not found"}' },
  {
    name: 'a web page',
    path: `/ari/events?${KEY}&app=x`,
    headers: { origin: 'https://elsewhere' },
    status: 403,
    body: '{"message":"Origin not allowed"}',
  },
]
test.each(REFUSED)('refused: $name', async ({ path, status, body, ...options }) => {
  expect(await refused(path, options)).toMatchObject({ status, body })
  expect(await names()).toEqual([])
})

test('connecting: by Basic authentication, read-only, with the sub-protocol, under any name', async () => {
  const one = await server.listen('app=basic', { headers: basic('bridge:bridge') })
  const ws = `${server.base.replace('http', 'ws')}/ari/events`
  const two = new WebSocket(`${ws}?api_key=readonly:readonly&app=ro-app`)
  const three = new WebSocket(`${ws}?${KEY}&app=we%20ird%3An%C3%A4me`, ['ari'])
  const four = new WebSocket(`${ws}?app=key-less&api_key=x`, { headers: basic('bridge:bridge') })
  await Promise.all([two, three, four].map((socket) => once(socket, 'open')))
  expect(three.protocol).toBe('ari')
  expect(one.socket.protocol).toBe('')
  expect(await names()).toEqual(['basic', 'key-less', 'ro-app', 'we ird:näme'])
})

test('the newest socket of an application has it, and the old one is told and stays', async () => {
  const old = await server.listen('app=shared,kept')
  await server.tell(start('c1', 'Up', 'shared'))
  const fresh = await server.listen('app=shared&subscribeAll=true')
  await server.tell(stateChange('c1'), start('c2', 'Up', 'shared'), start('c3', 'Up', 'kept'))
  await fresh.until(2)
  expect((await old.until(3)).map(({ type, application }) => `${type} ${application}`)).toEqual([
    'StasisStart shared',
    'ApplicationReplaced shared',
    'StasisStart kept',
  ])
  expect(old.heard[1]).toEqual({
    type: 'ApplicationReplaced',
    timestamp: expect.any(String) as string,
    application: 'shared',
    asterisk_id: 'ast1',
  })
  expect(fresh.types()).toEqual(['ChannelStateChange', 'StasisStart'])
  expect(await application('shared')).toMatchObject({ channel_ids: ['c1', 'c2'] })
  old.socket.close()
  await once(old.socket, 'close')
  expect(await names()).toEqual(['kept', 'shared'])
  await server.tell(stateChange('c2'))
  expect((await fresh.until(3)).map(({ type }) => type)[2]).toBe('ChannelStateChange')
})

test('subscribeAll counts only for an application that begins with it', async () => {
  await server.listen('app=modest')
  await server.listen('app=modest&subscribeAll=true')
  expect(await application('modest')).toMatchObject({ channel_ids: [], endpoint_ids: [] })
  await server.listen('app=greedy&subscribeAll=1')
  await server.listen('app=greedy')
  expect(await application('greedy')).toMatchObject({
    channel_ids: ['__AST_CHANNEL_ALL_TOPIC'],
    bridge_ids: ['__AST_BRIDGE_ALL_TOPIC'],
    endpoint_ids: ['__AST_ENDPOINT_ALL_TOPIC'],
    device_names: ['__AST_DEVICE_STATE_ALL_TOPIC'],
  })
  await server.listen('app=silly&subscribeAll=perhaps')
  expect(await application('silly')).toMatchObject({ channel_ids: [] })
})

test('an application outlives its socket while it has subscriptions or channels', async () => {
  const ears = await Promise.all(
    ['plain', 'devices', 'endpoints', 'channels'].map((app) => server.listen(`app=${app}`)),
  )
  await server.tell(peerStatus('1001'), start('c1', 'Up', 'channels'))
  const subscription = (app: string, source: string) => `/ari/applications/${app}/subscription?eventSource=${source}`
  await server.ask('POST', subscription('devices', 'deviceState:a'))
  await server.ask('POST', subscription('endpoints', 'endpoint:PJSIP/1001'))
  await server.ask('PUT', '/ari/applications/endpoints/eventFilter', {
    body: { disallowed: [{ type: 'ChannelVarset' }] },
  })
  for (const { socket } of ears) {
    socket.close()
    await once(socket, 'close')
  }
  await expect.poll(names).toEqual(['channels', 'endpoints'])
  await server.tell(stateChange('c1'), endpointState('1001'))
  expect(server.link.of('returned')).toHaveLength(2 + 1) // PeerStatusChange came before anybody asked for it
  const back = await server.listen('app=endpoints&subscribeAll=true')
  expect(await application('endpoints')).toMatchObject({
    channel_ids: [],
    endpoint_ids: ['PJSIP/1001'],
    events_disallowed: [{ type: 'ChannelVarset' }],
  })
  await server.ask('DELETE', subscription('endpoints', 'endpoint:PJSIP/1001'))
  back.socket.close()
  await server.tell(end('c1', 'channels'))
  await expect.poll(names).toEqual([])
})

test('a client that reads nothing loses its socket and nobody else anything', async () => {
  const own = await stand({ backlogBytes: 200_000 })
  const slow = await own.listen('app=slow&subscribeAll=true')
  const quick = await own.listen('app=quick&subscribeAll=true')
  slow.socket.pause()
  const event = { ...created('c1'), padding: 'x'.repeat(50_000) }
  let sent = 0
  while (own.link.of('fault').length === 0 && sent < 2000) {
    await own.tell(event)
    sent += 1
    await delay(0)
  }
  expect(own.link.of('fault').map(({ error }) => `${error.code} ${error.message}`)).toEqual([
    'link.lost ari-server: slow reads too slowly, its socket was closed',
  ])
  await own.tell(event)
  expect((await own.ask('GET', '/ari/applications')).body).toMatchObject([{ name: 'quick' }])
  await quick.until(sent + 1)
  slow.socket.resume()
  const [code] = (await once(slow.socket, 'close')) as [number]
  expect(code).toBe(1011)
  expect(slow.heard.length).toBeLessThan(sent)
  await own.stop()
})

test('order is kept, however many events are handed over at once', async () => {
  const ear = await server.listen('app=all&subscribeAll=true')
  const ids = Array.from({ length: 500 }, (_, at) => `c${at}`)
  await server.tell(...ids.map(created))
  const heard = await ear.until(500)
  expect(heard.map((event) => (event.channel as { id: string }).id)).toEqual(ids)
})

test('pings are answered, and who does not answer ours is cut off', async () => {
  const own = await stand({ pingIntervalMs: 100 })
  const alive = await own.listen('app=alive')
  const dead = await own.listen('app=dead', { autoPong: false })
  alive.socket.ping('x')
  const [data] = (await once(alive.socket, 'pong')) as [Buffer]
  expect(String(data)).toBe('x')
  const [code] = (await once(dead.socket, 'close')) as [number]
  expect(code).toBe(1006)
  await delay(250)
  expect(alive.socket.readyState).toBe(WebSocket.OPEN)
  await own.stop()
})

test('frames larger than allowed end a socket, binary ones are passed over', async () => {
  const ear = await server.listen()
  ear.socket.send(Buffer.from('{}'))
  ear.socket.send('x'.repeat(200_000))
  const [code] = (await once(ear.socket, 'close')) as [number]
  expect(code).toBe(1009)
  expect(ear.heard).toEqual([])
})

test('there are as many sockets as allowed, and a place that is left can be taken', async () => {
  const own = await stand({ maxSockets: 1 })
  const first = await own.listen('app=first')
  await expect(own.listen('app=second')).rejects.toThrow('503')
  first.socket.close()
  await once(first.socket, 'close')
  await expect
    .poll(async () =>
      own.listen('app=second').then(
        () => 'open',
        () => 'refused',
      ),
    )
    .toBe('open')
  await own.stop()
})

/** Frames to the server, and what a real Asterisk answered, but for time and id. */
const REST: { name: string; sent: unknown; want: Partial<Event> }[] = [
  {
    name: 'a request',
    sent: { type: 'RESTRequest', transaction_id: 'tx-1', request_id: 'req-1', method: 'GET', uri: 'channels?x=y' },
    want: {
      transaction_id: 'tx-1',
      request_id: 'req-1',
      status_code: 200,
      reason_phrase: 'OK',
      uri: 'channels',
      content_type: 'application/json',
      message_body: '[]',
    },
  },
  {
    name: 'an unknown channel, by a parameter in query_strings',
    sent: {
      type: 'RESTRequest',
      request_id: 'a',
      method: 'GET',
      uri: 'channels/none/variable',
      query_strings: [{ name: 'variable', value: 'A' }],
    },
    want: {
      transaction_id: '',
      request_id: 'a',
      status_code: 404,
      reason_phrase: 'Not Found',
      uri: 'channels/none/variable',
      content_type: 'application/json',
      message_body: '{"message":"Provided channel was not found"}',
    },
  },
  {
    name: 'a body as text',
    sent: {
      type: 'RESTRequest',
      method: 'PUT',
      uri: `applications/${APP}/eventFilter`,
      content_type: 'application/json',
      message_body: '{"disallowed":"x"}',
    },
    want: { status_code: 400, reason_phrase: 'Bad Request', message_body: '{"message":"Invalid format definition"}' },
  },
  {
    name: 'a body that is no text and does not count',
    sent: {
      type: 'RESTRequest',
      method: 'PUT',
      uri: `applications/${APP}/eventFilter`,
      content_type: 'application/json',
      message_body: { disallowed: 'x' },
    },
    want: { status_code: 200, reason_phrase: 'OK' },
  },
  {
    name: 'a slash before the path',
    sent: { type: 'RESTRequest', method: 'GET', uri: '/asterisk/ping' },
    want: { status_code: 405, reason_phrase: 'Method Not Allowed', message_body: '{"message":"Invalid method"}' },
  },
  {
    name: 'a path from the root',
    sent: { type: 'RESTRequest', method: 'GET', uri: 'ari/asterisk/ping' },
    want: { status_code: 404, message_body: '{"message":"Resource not found"}' },
  },
  {
    name: 'a method that there is not',
    sent: { type: 'RESTRequest', method: 'PATCH', uri: 'channels/w1' },
    want: {
      status_code: 400,
      reason_phrase: 'Bad request',
      uri: 'channels/w1',
      message_body: '{"message":"Unknown or missing \'method\' property."}',
    },
  },
  {
    name: 'no path',
    sent: { type: 'RESTRequest', method: 'GET', request_id: 'u' },
    want: { status_code: 400, uri: '', message_body: '{"message":"Empty or missing \'uri\' property."}' },
  },
  {
    name: 'the event socket itself',
    sent: { type: 'RESTRequest', method: 'GET', uri: 'events?app=x' },
    want: {
      status_code: 400,
      uri: 'events',
      message_body: '{"message":"Can\'t upgrade to websocket from a websocket"}',
    },
  },
  {
    name: 'no type',
    sent: {},
    want: { status_code: 400, reason_phrase: 'Bad request', message_body: '{"message":"No \'type\' property."}' },
  },
  {
    name: 'another type',
    sent: { type: 'Nonsense' },
    want: { status_code: 400, message_body: '{"message":"Unknown request type."}' },
  },
]
test.each(REST)('a frame from the client: $name', async ({ sent, want }) => {
  const ear = await server.listen()
  ear.socket.send(JSON.stringify(sent))
  const [answer] = await ear.until(1)
  expect(answer).toMatchObject({ type: 'RESTResponse', application: APP, asterisk_id: 'ast1', ...want })
})

test('a frame that is not JSON is answered, without a body', async () => {
  const ear = await server.listen()
  ear.socket.send('not json')
  const [answer] = await ear.until(1)
  expect(answer).toEqual({
    type: 'RESTResponse',
    transaction_id: '',
    request_id: '',
    status_code: 400,
    reason_phrase: 'Failed to parse request message JSON',
    uri: '',
    application: APP,
    timestamp: expect.any(String) as string,
    asterisk_id: 'ast1',
  })
})

test('a read-only user reads by frames and changes nothing', async () => {
  const socket = new WebSocket(`${server.base.replace('http', 'ws')}/ari/events?api_key=readonly:readonly&app=ro`)
  await once(socket, 'open')
  const answers: unknown[] = []
  socket.on('message', (data) => answers.push(JSON.parse(String(data))))
  for (const method of ['GET', 'DELETE']) socket.send(JSON.stringify({ type: 'RESTRequest', method, uri: 'channels' }))
  await expect.poll(() => answers.length).toBe(2)
  expect(answers).toMatchObject([
    { status_code: 200, message_body: '[]' },
    { status_code: 403, reason_phrase: 'Forbidden', message_body: '{"message":"Write access denied"}' },
  ])
})

test('a socket that lost its application is still answered', async () => {
  const old = await server.listen()
  await server.listen()
  await old.until(1)
  old.socket.send(JSON.stringify({ type: 'RESTRequest', method: 'GET', uri: 'asterisk/ping' }))
  const [, answer] = await old.until(2)
  expect(answer).toMatchObject({ type: 'RESTResponse', status_code: 200, application: APP })
})
