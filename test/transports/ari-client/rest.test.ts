import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { AriConfig } from '../../../src/transports/ari-client/config.js'
import { makeRest } from '../../../src/transports/ari-client/rest.js'
import { type FakeReply, startFakeAsterisk } from './fake-asterisk.js'

async function setUp(answer: (() => FakeReply | Promise<FakeReply>) | undefined, options: Partial<AriConfig> = {}) {
  const fake = await startFakeAsterisk()
  if (answer !== undefined) fake.answer = answer
  const rest = makeRest({
    url: fake.url,
    credentials: { username: 'ü', password: 'a:b' },
    app: 'app',
    node: 'n',
    requestTimeoutMs: 1000,
    ...options,
  })
  onTestFinished(async () => {
    await rest.close()
    await fake.stop()
  })
  return { fake, rest }
}

describe('an answer', () => {
  test.each([
    {
      status: 401,
      body: { message: 'Authentication required' },
      code: 'link.forbidden',
      fate: 'reject',
      says: 'Authentication required',
    },
    {
      status: 403,
      body: { message: 'Write access denied' },
      code: 'link.forbidden',
      fate: 'reject',
      says: 'Write access denied',
    },
    {
      status: 404,
      body: { message: 'Channel not found' },
      code: 'link.refused',
      fate: 'reject',
      says: 'Channel not found',
    },
    {
      status: 409,
      body: { message: 'Channel not in Stasis application' },
      code: 'link.refused',
      fate: 'reject',
      says: 'Channel not in Stasis application',
    },
    {
      status: 500,
      body: { error: 'Allocation failed' },
      code: 'link.refused',
      fate: 'retry',
      says: 'Allocation failed',
    },
    {
      status: 503,
      body: '<html><head>\r\n<title>x</title></head><body>\r\n<h1>Service Unavailable</h1></body></html>',
      code: 'link.refused',
      fate: 'retry',
      says: 'Service Unavailable',
    },
    {
      status: 400,
      body: '<html><head><title>400 Bad Request</title></head>\r\n<body><h1>Bad Request</h1><p></p></body></html>',
      code: 'link.refused',
      fate: 'reject',
      says: 'Bad Request',
    },
    { status: 408, body: '', code: 'link.refused', fate: 'retry', says: '' },
    { status: 422, body: { message: 5 }, code: 'link.refused', fate: 'reject', says: '{"message":5}' },
  ])('of $status with $body becomes an error that keeps the status', async ({ status, body, code, fate, says }) => {
    const { rest } = await setUp(() => ({ status, body }))
    const message = `GET /channels/c1: ${status} ${says}`.trimEnd()
    await expect(rest.request('GET', ['channels', 'c1'])).rejects.toMatchObject({ status, code, fate, message })
  })

  test('of JSON becomes plain data, an empty one undefined', async () => {
    const { fake, rest } = await setUp(undefined)
    fake.channels = [{ id: 'c1' }]
    expect(await rest.request('GET', ['channels'])).toEqual([{ id: 'c1' }])
    expect(await rest.request('POST', ['events', 'user', 'x'])).toBeUndefined()
  })

  test('that is no JSON is an error worth a retry', async () => {
    const { rest } = await setUp(() => ({ status: 200, body: '<html>' }))
    await expect(rest.request('GET', ['channels'])).rejects.toMatchObject({ code: 'link.refused', fate: 'retry' })
  })

  test('that does not come in time is an error worth a retry, and says how long was waited', async () => {
    const { rest } = await setUp(() => delay(5000, { status: 200 }, { ref: false }))
    await expect(rest.request('GET', ['channels'], { deadlineMs: 100 })).rejects.toMatchObject({
      code: 'link.lost',
      fate: 'retry',
      message: 'GET /channels: no answer within 100 ms',
    })
  })

  test('that a cut prevents is an error worth a retry', async () => {
    const { fake, rest } = await setUp(undefined)
    fake.answer = () => {
      fake.cut()
      return new Promise(() => undefined)
    }
    await expect(rest.request('GET', ['channels'])).rejects.toMatchObject({ code: 'link.lost', fate: 'retry' })
  })
})

describe('a request', () => {
  test('is encoded part by part, its query and body too', async () => {
    const { fake, rest } = await setUp(() => ({ status: 200, body: {} }))
    await rest.request('POST', ['channels', 'a/b ü?#', 'x'], { query: { v: 'a&b=c/ü' }, body: { deep: { n: 1 } } })
    expect(fake.requests).toMatchObject([
      { method: 'POST', path: '/channels/a/b ü?#/x', query: { v: 'a&b=c/ü' }, body: { deep: { n: 1 } } },
    ])
    expect(fake.requests[0]?.authorization).toBe(`Basic ${Buffer.from('ü:a:b', 'utf8').toString('base64')}`)
  })

  test.each(['', '.', '..', 'a\u0000b', 'a\nb', '\ud800'])('with %j in its path is not sent', async (part) => {
    const { fake, rest } = await setUp(undefined)
    await expect(rest.request('GET', ['channels', part])).rejects.toMatchObject({
      code: 'link.refused',
      fate: 'reject',
    })
    expect(fake.requests).toEqual([])
  })

  test('to move a channel without an application is not sent: Asterisk would die of it', async () => {
    const { fake, rest } = await setUp(() => ({ status: 204 }))
    for (const options of [
      {},
      { query: { app: '' } },
      { body: { appArgs: 'x' } },
      { query: { app: 'x' }, body: { app: '' } },
      { query: { app: 'x' }, body: { app: null } },
    ]) {
      await expect(rest.request('POST', ['channels', 'c', 'move'], options)).rejects.toThrow('it names no `app`')
    }
    expect(fake.requests).toEqual([])
    await rest.request('POST', ['channels', 'c', 'move'], { query: { app: 'x' } })
    await rest.request('POST', ['channels', 'c', 'move'], { body: { app: 'x' } })
    await rest.request('POST', ['channels', 'c', 'move'], { query: { app: 'x' }, body: { appArgs: 'y' } })
    expect(fake.requests).toHaveLength(3)
  })

  test('whose address is longer than Asterisk takes is not sent', async () => {
    const { fake, rest } = await setUp(undefined)
    await expect(rest.request('GET', ['channels', 'x'.repeat(5000)])).rejects.toThrow('5000 characters'.slice(5))
    expect(fake.requests).toEqual([])
  })

  test('whose body is larger than Asterisk takes is not sent', async () => {
    const { fake, rest } = await setUp(() => ({ status: 204 }))
    const send = (length: number) =>
      rest.request('POST', ['x'], { body: { t: 'x'.repeat(length - '{"t":""}'.length) } })
    await expect(send(40_961)).rejects.toMatchObject({ code: 'link.too-large', fate: 'reject' })
    expect(fake.requests).toEqual([])
    await send(40_960)
  })

  test('waits while as many as may are under way, and takes a connection that is there', async () => {
    const { fake, rest } = await setUp(() => delay(5, { status: 200, body: {} }), { maxConcurrentRequests: 3 })
    await Promise.all(Array.from({ length: 30 }, () => rest.request('GET', ['channels'])))
    expect(fake.busiest()).toBe(3)
    expect(fake.connections()).toBeLessThanOrEqual(3)
  })

  test('that was given up is an error', async () => {
    const { rest } = await setUp(() => new Promise(() => undefined))
    const halt = new AbortController()
    const asked = rest.request('GET', ['channels'], { signal: halt.signal })
    halt.abort()
    await expect(asked).rejects.toMatchObject({ code: 'link.lost', fate: 'retry' })
  })

  test('after all connections were left goes by a new one, and those under way fail', async () => {
    const { fake, rest } = await setUp(() => new Promise(() => undefined))
    const stuck = rest.request('GET', ['channels'])
    const failed = expect(stuck).rejects.toMatchObject({ code: 'link.lost' })
    await delay(20)
    rest.renew()
    await failed
    fake.answer = () => undefined
    expect(await rest.request('GET', ['channels'])).toEqual([])
  })
})

test('a prefix of the address stands before ARI', async () => {
  const { fake } = await setUp(undefined)
  const rest = makeRest({ url: `${fake.url}/pbx/`, credentials: { username: 'u', password: 'p' }, app: 'a', node: 'n' })
  await rest.request('GET', ['channels']).catch(() => undefined)
  await rest.close()
  expect(fake.requests[0]?.path).toBe('/pbx/ari/channels')
})
