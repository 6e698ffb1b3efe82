import { afterEach, expect, test } from 'vitest'
import { fromUserEvent } from '../../src/transports/ari-client/user-events.js'
import { type Stand, stand } from '../transports/ari-server/stand.js'
import { APP } from '../transports/ari-server/story.js'

let server: Stand | undefined
afterEach(() => server?.stop())

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

test.each([100_000, 4_000_000])('a user event nested %i deep is taken for one of others, and nothing ends', (depth) => {
  const body = `{"type":"ChannelUserevent","eventname":"patchbay.X","userevent":{"event":{"type":"X","a":${nested(depth)}}}}`
  expect(fromUserEvent(Buffer.from(body))).toBeUndefined()
})

test('an application that sends an event nested too deep is told so, by HTTP and by its socket, and all others are served', async () => {
  server = await stand()
  const ear = await server.listen()
  const body = `{"variables":{"a":${nested(30_000)}}}`
  const path = `/events/user/x?application=${APP}`
  const answer = await fetch(`${server.base}/ari${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', authorization: `Basic ${btoa('bridge:bridge')}` },
  })
  expect(answer.status).toBe(500)
  const request = { type: 'RESTRequest', method: 'POST', uri: path.slice(1), content_type: 'application/json' }
  ear.socket.send(JSON.stringify({ ...request, message_body: body }))
  await expect.poll(() => ear.heard).toMatchObject([{ type: 'RESTResponse', status_code: 500 }])
  expect(await server.ask('GET', '/ari/applications')).toMatchObject({ status: 200 })
})

const ODD_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
test.each(ODD_KEYS)('the key %s of a body is a key like any other', async (key) => {
  server = await stand()
  const ear = await server.listen()
  const variables = JSON.parse(`{"${key}":{"polluted":true}}`) as object
  const asked = { body: { variables, [key]: { polluted: true }, application: APP } }
  expect(await server.ask('POST', '/ari/events/user/x', asked)).toMatchObject({ status: 204 })
  await ear.until(1)
  expect(JSON.stringify(ear.heard[0])).toContain(`"${key}":{"polluted":true}`)
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})
