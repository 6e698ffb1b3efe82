import { expect, test } from 'vitest'
import { makeHappenings } from '../../../src/calls/xnode/happenings.js'
import type { Fact } from '../../../src/model/index.js'

const LONG_MS = 60_000
const ringing: Fact = { kind: 'channel', id: 'a', change: 'state', state: 'ringing' }
const ended: Fact = { kind: 'channel', id: 'a', change: 'state', state: 'ended', cause: { name: 'USER_BUSY' } }
const key: Fact = { kind: 'dtmf', channel: 'a', digit: '5' }
const keyOf = (fact: Fact) => (fact.kind === 'dtmf' ? fact.digit : undefined)

test('a wait ends with what is made of a fact, of its own channel only', async () => {
  const happenings = makeHappenings()
  const waiting = happenings.wait('a', keyOf, { timeoutMs: LONG_MS })
  happenings.note({ ...key, channel: 'b' })
  happenings.note(ringing)
  expect(happenings.count()).toBe(1)
  happenings.note(key)
  expect(await waiting).toEqual({ kind: 'told', value: '5' })
  expect(happenings.count()).toBe(0)
})

test('a wait ends with the channel, with its time, from outside, or with the link; nothing of it is left', async () => {
  const happenings = makeHappenings()
  const end = happenings.wait('a', keyOf, { timeoutMs: LONG_MS })
  happenings.note(ended)
  expect(await end).toEqual({ kind: 'ended', end: ended })
  expect(await happenings.wait('a', keyOf, { timeoutMs: 5 })).toEqual({ kind: 'late' })
  const abort = new AbortController()
  const stopped = happenings.wait('a', keyOf, { timeoutMs: LONG_MS, signal: abort.signal })
  abort.abort()
  expect(await stopped).toEqual({ kind: 'stopped' })
  expect(await happenings.wait('a', keyOf, { timeoutMs: LONG_MS, signal: abort.signal })).toEqual({ kind: 'stopped' })
  const lost = ['a', 'b'].map((channel) => happenings.wait(channel, keyOf, { timeoutMs: LONG_MS }))
  happenings.lost()
  expect(await Promise.all(lost)).toEqual([{ kind: 'lost' }, { kind: 'lost' }])
  expect(happenings.count()).toBe(0)
})

test('what is waited for while the link is away is lost at once, until it is back', async () => {
  const happenings = makeHappenings()
  happenings.lost()
  expect(await happenings.wait('a', keyOf, { timeoutMs: LONG_MS })).toEqual({ kind: 'lost' })
  const aborted = AbortSignal.abort()
  expect(await happenings.wait('a', keyOf, { timeoutMs: LONG_MS, signal: aborted })).toEqual({ kind: 'stopped' })
  expect(happenings.count()).toBe(0)
  happenings.back()
  const waiting = happenings.wait('a', keyOf, { timeoutMs: LONG_MS })
  happenings.note(key)
  expect(await waiting).toEqual({ kind: 'told', value: '5' })
})

test('the end itself may be what is waited for', async () => {
  const happenings = makeHappenings()
  const cause = (fact: Fact) => (fact.kind === 'channel' && fact.state === 'ended' ? fact.cause?.name : undefined)
  const waiting = happenings.wait('a', cause, { timeoutMs: LONG_MS })
  happenings.note(ended)
  expect(await waiting).toEqual({ kind: 'told', value: 'USER_BUSY' })
})

test('a listener hears all, in order, until it is taken away, also by what it hears', () => {
  const happenings = makeHappenings()
  const heard: string[] = []
  const forget = happenings.listen('a', (fact) => {
    heard.push(fact.kind)
    if (fact.kind === 'dtmf') forget()
  })
  happenings.listen('a', (fact) => void heard.push(`${fact.kind}, too`))
  for (const fact of [ringing, key, ringing]) happenings.note(fact)
  expect(heard).toEqual(['channel', 'channel, too', 'dtmf', 'dtmf, too', 'channel, too'])
  expect(happenings.count()).toBe(1)
})
