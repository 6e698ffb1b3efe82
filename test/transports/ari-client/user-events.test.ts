import { describe, expect, test, vi } from 'vitest'
import type { OutgoingFrame } from '../../../src/transports/transport.js'
import { event, type FakeAsterisk } from './fake-asterisk.js'
import { standingLink } from './link.js'

const TARGET = { userEvents: { application: 'crm' } }

const frame = (body: object | string, more: Partial<OutgoingFrame> = {}): OutgoingFrame => ({
  address: { node: 'ast1' },
  headers: { 'patchbay-id': 'i1', 'patchbay-path': 'hq', theirs: 'x' },
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  ...more,
})

const posts = (fake: FakeAsterisk) => fake.requests.filter(({ method }) => method === 'POST')

describe('a frame that is sent', () => {
  test('becomes a user event of the configured application: the event, our headers, and those of its trace', async () => {
    const { fake, link } = await standingLink(TARGET)
    const start = event('StasisStart', { args: [], channel: { id: 'c1', name: 'ünï' } })
    const headers = { 'patchbay-id': 'i1', 'patchbay-path': 'hq', traceparent: 't', tracestate: 'a=1', theirs: 'x' }
    await link.send(frame(start, { headers }))
    const { theirs: _, ...ours } = headers
    expect(posts(fake)).toMatchObject([
      {
        path: '/events/user/patchbay.StasisStart',
        query: { application: 'crm' },
        body: { variables: { event: start, ...ours } },
      },
    ])
    expect(posts(fake)[0]?.body).not.toHaveProperty('variables.theirs')
  })

  test('goes to the application in its address, where one is', async () => {
    const { fake, link } = await standingLink(TARGET)
    await link.send(frame(event('X'), { address: { node: 'ast1', app: 'other app' } }))
    expect(posts(fake)[0]?.query).toEqual({ application: 'other app' })
  })

  test('to an application that nobody registered is confirmed and reported', async () => {
    const { fake, heard, link } = await standingLink(TARGET)
    fake.answer = ({ method }) =>
      method === 'POST' ? { status: 404, body: { message: 'Application not found' } } : undefined
    const sent = frame(event('X'))
    await link.send(sent)
    expect(heard.of('returned')).toEqual([{ kind: 'returned', frame: sent }])
  })

  test('waits while Asterisk starts and knows no application yet, though it answers as if there were none', async () => {
    const { fake, heard, link } = await standingLink(TARGET)
    let isStarting = true
    fake.answer = ({ method, path }) => {
      if (!isStarting) return undefined
      if (method === 'POST') return { status: 404, body: { message: 'Resource not found' } }
      return path === '/asterisk/info' ? { status: 503, body: '' } : undefined
    }
    fake.cut()
    await heard.until('down', 1)
    const sent = link.send(frame(event('X')))
    await vi.waitFor(() => expect(posts(fake).length).toBeGreaterThan(2))
    isStarting = false
    await sent
    expect(heard.of('returned')).toEqual([])
  })

  test('to an application that nobody registered is confirmed while the link ends, too', async () => {
    const { fake, heard, link } = await standingLink(TARGET)
    await link.drain()
    fake.answer = () => ({ status: 404, body: { message: 'Application not found' } })
    await link.send(frame(event('X')))
    expect(heard.of('returned')).toHaveLength(1)
  })

  test.each([
    { name: 'no JSON', body: 'oh no' },
    { name: 'no object', body: '["StasisStart"]' },
    { name: 'no event', body: '{"kind":"StasisStart"}' },
  ])('is refused when its body is $name', async ({ body }) => {
    const { fake, link } = await standingLink(TARGET)
    await expect(link.send(frame(body))).rejects.toMatchObject({ code: 'link.refused', fate: 'reject' })
    expect(posts(fake)).toEqual([])
  })

  test('is refused when Asterisk refuses it', async () => {
    const { fake, link } = await standingLink(TARGET)
    fake.answer = ({ method }) => (method === 'POST' ? { status: 400, body: { message: 'Invalid JSON' } } : undefined)
    await expect(link.send(frame(event('X')))).rejects.toMatchObject({
      code: 'link.refused',
      fate: 'reject',
      status: 400,
      message: 'POST /events/user/patchbay.X: 400 Invalid JSON',
    })
  })

  test('is sent again until Asterisk takes it; what follows it with its key waits, what has another does not', async () => {
    const { fake, heard, link } = await standingLink(TARGET)
    let failures = 3
    const taken: unknown[] = []
    fake.answer = ({ method, body }) => {
      if (method !== 'POST') return undefined
      const { variables } = body as { variables: { event: { n: unknown } } } // as the link sends it
      if (variables.event.n === 1 && failures-- > 0) return { status: 503, body: { message: 'starting' } }
      taken.push(variables.event.n)
      return { status: 204 }
    }
    const sends = [1, 2, 3].map((n) => link.send(frame({ type: 'X', n }, { orderKey: 'call' })))
    await link.send(frame({ type: 'X', n: 'other' }, { orderKey: 'another' }))
    expect(taken).toEqual(['other'])
    await Promise.all(sends)
    expect(taken).toEqual(['other', 1, 2, 3])
    expect(heard.of('fault').map(({ error }) => error.message)).toEqual(['POST /events/user/patchbay.X: 503 starting'])
  })

  test('survives a server that goes away and comes back', async () => {
    const { fake, link } = await standingLink(TARGET)
    let cuts = 2
    fake.answer = ({ method }) => {
      if (method === 'POST' && cuts-- > 0) fake.cut()
      return undefined
    }
    await link.send(frame(event('X')))
    expect(posts(fake).length).toBeGreaterThanOrEqual(3)
  })
})

describe('a user event that arrives', () => {
  test('of our making is taken apart: the event is the body, our headers are the headers', async () => {
    const { fake, heard } = await standingLink()
    const inner = { type: 'StasisStart', channel: { id: 'c1' } }
    const userevent = {
      event: inner,
      'patchbay-id': 'i1',
      'patchbay-path': 'hq,b',
      'patchbay-n': 1,
      traceparent: 't',
      eventname: 'x',
      other: 'y',
    }
    fake.tell(
      event('ChannelUserevent', { eventname: 'patchbay.StasisStart', userevent }, '2026-11-20T10:00:02.000+0000'),
    )
    await heard.received(5)
    const { frame: got, sentAt } = heard.deliveries[4]!
    expect(got.headers).toEqual({ 'patchbay-id': 'i1', 'patchbay-path': 'hq,b', traceparent: 't' })
    expect(Buffer.from(got.body).toString('utf8')).toBe(JSON.stringify(inner))
    expect(got.address).toEqual({ node: 'ast1' })
    expect(sentAt).toBe(Date.UTC(2026, 10, 20, 10, 0, 2))
  })

  test.each([
    { name: "is somebody else's", content: { eventname: 'mine', userevent: { event: { type: 'X' } } } },
    { name: 'only looks like ours', content: { eventname: 'patchbay.X', userevent: { event: 'X' } } },
    { name: 'has nothing in it', content: { eventname: 'patchbay.X' } },
  ])('that $name passes as it is', async ({ content }) => {
    const { fake, heard } = await standingLink()
    const text = JSON.stringify(event('ChannelUserevent', content))
    fake.tell(text)
    await heard.received(5)
    expect(Buffer.from(heard.deliveries[4]!.frame.body).toString('utf8')).toBe(text)
    expect(heard.deliveries[4]!.frame.headers).toEqual({})
  })

  test('of our making comes out as it went in', async () => {
    const { fake, heard, link } = await standingLink(TARGET)
    const body = JSON.stringify(
      event('Dial', { dialstatus: '', peer: { id: 'p', name: 'ü"\\' }, n: [1.5, null, true] }),
    )
    await link.send(frame(body))
    const { variables } = posts(fake)[0]!.body as { variables: object } // as the link sends it
    fake.tell(
      event('ChannelUserevent', {
        eventname: 'patchbay.Dial',
        userevent: { ...variables, eventname: 'patchbay.Dial' },
      }),
    )
    await vi.waitFor(() => expect(heard.deliveries).toHaveLength(5))
    expect(Buffer.from(heard.deliveries[4]!.frame.body).toString('utf8')).toBe(body)
  })
})
