import { afterEach, expect, test, vi } from 'vitest'
import { GatewayError } from '../../../src/errors.js'
import type { Channel } from '../../../src/model/index.js'
import { type Answers, fakeSite, refused, settled } from './fake-site.js'

afterEach(() => void vi.useRealTimers())

const CLAIM = 'POST events/claim?channelId=a&application=patchbay'
const enters = { change: 'control', flags: { controllable: true } } as const
const silence = () => new GatewayError('link.lost', 'no answer', { fate: 'retry' })

function offering(answers?: Answers) {
  const site = fakeSite(answers)
  site.known.set('a', { id: 'a', state: 'new', flags: { offered: true } } as Channel)
  return site
}

/** What Asterisk does when a channel is claimed, as far as the gateway sees. */
function enter(site: ReturnType<typeof offering>): void {
  site.known.set('a', { id: 'a', state: 'new', flags: { controllable: true } } as Channel)
  site.tell('a', enters)
}

test('a claim is over when the channel is in the application', async () => {
  const site = offering()
  const accepted = site.ask('Accept', { uuid: 'a' })
  await settled()
  expect([site.asked, site.known.get('a')!.controller]).toEqual([[CLAIM], undefined])
  enter(site)
  expect(await accepted).toMatchObject({ code: 200 })
  expect(site.known.get('a')!.controller).toBe('c1')
  expect(await site.ask('Accept', { uuid: 'a' })).toMatchObject({ code: 200 })
  expect(site.asked).toEqual([CLAIM])
})

test('nothing is claimed while nobody would hear of it', async () => {
  const site = offering()
  site.node.lost()
  expect(await site.ask('Accept', { uuid: 'a' })).toMatchObject({
    code: 500,
    message: expect.stringMatching(/^not done, /),
  })
  expect(site.asked).toEqual([])
})

test.each([
  [409, 419],
  [404, 410],
])('a refusal by %s is %s, and the call has no owner', async (status, code) => {
  const site = offering(() => refused(status))
  expect(await site.ask('Answer', { uuid: 'a' })).toMatchObject({ code })
  expect(site.known.get('a')!.controller).toBeUndefined()
})

test('what another application is known to have is not asked for', async () => {
  const site = offering()
  site.known.set('a', { id: 'a', state: 'new', flags: { offered: false } } as Channel)
  expect(await site.ask('Accept', { uuid: 'a' })).toMatchObject({ code: 419 })
  expect(site.asked).toEqual([])
})

test('a claim that was won from elsewhere at the same time is as good', async () => {
  const site = offering(() => {
    enter(site)
    return refused(409)
  })
  expect(await site.ask('Accept', { uuid: 'a' })).toMatchObject({ code: 200 })
})

test('a channel that ends instead of coming in is gone', async () => {
  const site = offering()
  const accepted = site.ask('Accept', { uuid: 'a' })
  await settled()
  site.tell('a', { state: 'ended', cause: { name: 'ORIGINATOR_CANCEL' } })
  expect(await accepted).toMatchObject({ code: 410, cause: 'ORIGINATOR_CANCEL' })
})

test('a channel that does not come in is told of as it is found', async () => {
  vi.useFakeTimers()
  const site = offering((request) => (request.startsWith('GET') ? { state: 'Ring' } : undefined))
  const accepted = site.ask('Accept', { uuid: 'a' })
  await vi.advanceTimersByTimeAsync(5000)
  expect(await accepted).toMatchObject({
    code: 500,
    message: 'unknown: the claim did not end within its time; the channel is ring',
  })
})

/** A claim that gets no answer, then refusals, while applications hear of channels as given. */
function doubting(applications: Readonly<Record<string, readonly string[]>>) {
  let claims = 0
  return offering((request) => {
    if (request === CLAIM) return ++claims === 1 ? silence() : refused(409)
    const all = Object.entries(applications).map(([name, channel_ids]) => ({ name, channel_ids }))
    return request === 'GET applications' ? all : { state: 'Ring' }
  })
}

test('a claim that was not answered has won where no other application hears of the channel', async () => {
  const site = doubting({ patchbay: ['a'], desk: ['b'] })
  expect(await site.ask('Accept', { uuid: 'a' })).toMatchObject({
    code: 500,
    message: 'unknown: no answer; the channel is ring',
  })
  expect(await site.ask('Accept', { uuid: 'a' })).toMatchObject({ code: 200 })
  expect(site.told).toMatchObject([{ id: 'a', change: 'control', flags: { controllable: true } }])
})

test('a claim that was not answered stays unknown where another application hears of the channel', async () => {
  const site = doubting({ patchbay: ['a'], desk: ['a'] })
  await site.ask('Accept', { uuid: 'a' })
  expect(await site.ask('Accept', { uuid: 'a' })).toMatchObject({
    code: 500,
    message: 'unknown: another application may have claimed the call, or we did',
  })
  expect(site.told).toEqual([])
})

test('a claim that another replica began is doubted likewise', async () => {
  const site = offering((request) => {
    if (request === CLAIM) return refused(409)
    return request === 'GET applications' ? [{ name: 'patchbay', channel_ids: ['a'] }] : { state: 'Ring' }
  })
  const body = { jsonrpc: '2.0', id: '1', method: 'XNode.Accept', params: { ctrl_uuid: 'c1', uuid: 'a' } }
  await site.node.orphan({ address: { subject: 's' }, headers: {}, body: Buffer.from(JSON.stringify(body)) })
  expect(await site.ask('Accept', { uuid: 'a' })).toMatchObject({ code: 200 })
})

test('nothing is doubted of a channel that came in, or ended', async () => {
  for (const news of [enters, { state: 'ended' } as const]) {
    const site = doubting({ patchbay: ['a'] })
    await site.ask('Accept', { uuid: 'a' })
    site.tell('a', news)
    site.known.set('a', { id: 'a', state: 'new', flags: { offered: true } } as Channel)
    expect(await site.ask('Accept', { uuid: 'a' })).toMatchObject({ code: 419 })
  }
})
