import { describe, expect, test } from 'vitest'
import type { CallView } from '../../src/gateway/state.js'
import { observe } from '../../src/gateway/tracker.js'
import type { ChannelFact } from '../../src/model/index.js'
import { channel, flagged } from './facts.js'

function known(...facts: ChannelFact[]): CallView {
  let view: CallView | undefined
  for (const [i, fact] of facts.entries()) view = observe(view, fact, 'source', 1000 * (i + 1))
  return view!
}

describe('what is known of a channel', () => {
  test('times are kept from the first sight on, and durations stand at the end', () => {
    const { channel: now } = known(channel('new'), channel('ringing'), channel('answered'), channel('ended'))
    expect(now.times).toEqual({ created: 1000, ringing: 2000, answered: 3000, ended: 4000 })
    expect(now.durations).toEqual({ total: 3000, billed: 1000 })
  })

  test('the time a fact was told by goes before the clock, and the times of the fact itself before both', () => {
    const told = channel('answered', { meta: { at: 77 }, times: { created: 5 } })
    expect(known(told).channel.times).toEqual({ created: 5, answered: 77 })
  })

  test('what is first seen in a full picture has no beginning, and no bill is made up', () => {
    const { channel: now } = known(channel('answered', { full: true }), channel('ended'))
    expect(now.times).toEqual({ ended: 2000 })
    expect(now.durations).toBeUndefined()
  })

  test('a call in a full picture that is answered later is billed from there', () => {
    const { channel: now } = known(channel('ringing', { full: true }), channel('answered'), channel('ended'))
    expect(now.durations).toEqual({ billed: 1000 })
  })

  test('a call that was never answered is billed nothing', () => {
    expect(known(channel('ringing'), channel('ended')).channel.durations).toEqual({ total: 1000, billed: 0 })
  })

  test('a call first heard of at its end has no durations', () => {
    expect(known(channel('ended')).channel).toMatchObject({ times: { ended: 1000 } })
    expect(known(channel('ended')).channel.durations).toBeUndefined()
  })

  test('direction is fixed by the first fact that tells one', () => {
    const { channel: now } = known(
      channel('new'),
      channel('ringing', { direction: 'outbound' }),
      channel('answered', { direction: 'inbound' }),
    )
    expect(now.direction).toBe('outbound')
  })

  test('what a fact does not tell stays, in groups too', () => {
    const { channel: now } = known(
      channel('new', { caller: { number: '1', name: 'Ann' }, vars: { a: '1' } }),
      channel('ringing', { caller: { number: '2' }, vars: { b: '2' } }),
    )
    expect(now).toMatchObject({ caller: { number: '2', name: 'Ann' }, vars: { a: '1', b: '2' } })
  })

  test('the end of a bridge takes the peer along', () => {
    const { channel: now } = known(
      flagged('answered', { bridged: true }, { peers: ['p'] }),
      flagged('answered', { bridged: false }),
    )
    expect(now.peers).toBeUndefined()
  })

  test('nothing changes what has ended', () => {
    const ended = known(channel('ended'))
    expect(observe(ended, channel('ringing'), 'source', 9)).toBe(ended)
  })

  test('without a clock no times are made up', () => {
    expect(observe(undefined, channel('answered'), 'source', undefined).channel.times).toBeUndefined()
  })
})
