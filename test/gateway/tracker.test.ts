import { describe, expect, test } from 'vitest'
import { formatFault } from '../../src/config/index.js'
import { openDialects } from '../../src/gateway/dialects.js'
import { nothingTold, sequenceFor } from '../../src/gateway/sequence/index.js'
import type { CallView } from '../../src/gateway/state.js'
import { observe } from '../../src/gateway/tracker.js'
import type { ChannelFact } from '../../src/model/index.js'
import { recordedFrames } from '../mapping/ari-frames.js'
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

  test('what an application has, or had, is on offer no more, whichever is told first', () => {
    const offer = (offered: boolean) => flagged('new', { offered }, { change: 'offer' })
    const control = (controllable: boolean) => flagged('new', { controllable }, { change: 'control' })
    const offered = (...facts: ChannelFact[]) => known(...facts).channel.flags?.offered
    expect(offered(offer(true))).toBe(true)
    expect(offered(offer(true), offer(false))).toBe(false)
    expect(offered(offer(true), offer(false), control(true))).toBeUndefined()
    expect(offered(offer(true), control(true), offer(false))).toBeUndefined()
    expect(offered(offer(true), control(true), control(false))).toBeUndefined()
    expect(offered(offer(true), control(true), control(false), offer(true))).toBe(true)
  })

  test('nothing changes what has ended', () => {
    const ended = known(channel('ended'))
    expect(observe(ended, channel('ringing'), 'source', 9)).toBe(ended)
  })

  test('without a clock no times are made up', () => {
    expect(observe(undefined, channel('answered'), 'source', undefined).channel.times).toBeUndefined()
  })
})

describe('what a leg tells from its own point of view', () => {
  const ann = { number: '1001', name: 'Ann' }
  const bob = { number: '1002' }

  test('a leg that came in is the caller, one that goes out is the callee and was dialled by its number', () => {
    const inbound = known(
      channel('new', { direction: 'inbound', own: ann, dialled: '600' }),
      channel('answered', { far: bob }),
    )
    expect(inbound.channel).toMatchObject({ caller: ann, callee: bob, dialled: '600' })
    const outbound = known(channel('new', { direction: 'outbound', own: bob, far: ann }))
    expect(outbound.channel).toMatchObject({ caller: ann, callee: bob, dialled: '1002' })
  })

  test('a leg of unknown direction is taken for one that came in, until it is told', () => {
    const leg = channel('new', { own: bob, far: ann })
    expect(known(leg).channel).toMatchObject({ caller: bob, callee: ann })
    expect(known(leg, channel('ringing', { direction: 'outbound' })).channel).toMatchObject({
      caller: ann,
      callee: bob,
    })
  })

  test('all members of its bridge but itself are peers; the first stays the first', () => {
    const inBridge = (...members: string[]) => channel('answered', { change: 'bridge', bridge: { id: 'b', members } })
    expect(known(inBridge('c1')).channel).toMatchObject({ flags: { bridged: false }, peers: [] })
    const three = known(inBridge('c1'), inBridge('p', 'c1'), inBridge('q', 'c1', 'p'))
    expect(three.channel).toMatchObject({ flags: { bridged: true }, peers: ['p', 'q'], bridge: { id: 'b' } })
    const { channel: alone } = known(inBridge('c1', 'p'), inBridge('p'))
    expect(alone.flags).toEqual({ bridged: false })
    expect(alone).not.toHaveProperty('peers')
    expect(alone).not.toHaveProperty('bridge')
  })
})

describe('states', () => {
  test('a call that is known is not new again', () => {
    expect(known(channel('ringing'), channel('new')).channel.state).toBe('ringing')
  })

  test('a full picture that was drawn before an answer does not take it back', () => {
    expect(known(channel('answered'), channel('ringing', { full: true })).channel.state).toBe('answered')
    expect(known(channel('answered'), channel('ended', { full: true })).channel.state).toBe('ended')
    expect(known(channel('early'), channel('ringing', { full: true })).channel.state).toBe('ringing')
  })

  test('what is no news of the state does not make a call ring again', () => {
    const ringing = channel('ringing', { change: 'vars' })
    expect(known(channel('early'), ringing).channel.state).toBe('early')
    expect(known(channel('answered'), ringing).channel.state).toBe('answered')
    expect(known(channel('new'), ringing).channel.state).toBe('ringing')
    expect(known(channel('early'), channel('ringing')).channel.state).toBe('ringing')
  })

  test('a call is named at its first sight or never', () => {
    expect(known(channel('new', { call: 'x' }), channel('ringing')).channel.call).toBe('x')
    expect(known(channel('new'), channel('ringing', { call: 'x' })).channel).not.toHaveProperty('call')
  })
})

describe('causes of an end', () => {
  const cases: [string, ChannelFact[], ChannelFact['cause']][] = [
    ['a number gets its name', [channel('ended', { cause: { code: 17 } })], { code: 17, name: 'USER_BUSY' }],
    [
      'nothing told of an answered call is normal clearing',
      [channel('answered'), channel('ended', { cause: { code: 0 } })],
      { code: 16, name: 'NORMAL_CLEARING' },
    ],
    [
      'nothing told of a call that was not answered stays untold',
      [channel('ringing'), channel('ended', { cause: { code: 0 } })],
      undefined,
    ],
    [
      'a caller who gave up',
      [channel('ringing'), channel('ended', { cause: { code: 127, protocol: 487 } })],
      { code: 127, name: 'ORIGINATOR_CANCEL', protocol: 487 },
    ],
  ]
  test.each(cases)('%s', (_name, facts, want) => expect(known(...facts).channel.cause).toEqual(want))
})

interface Event {
  readonly type: string
  readonly cause?: number
  readonly channel?: object
}

describe('the end of a call of an Asterisk', () => {
  const opened = openDialects(['mappings/stasis.yaml', 'mappings/xcc.yaml'])
  if ('faults' in opened) throw new Error(opened.faults.map(formatFault).join('\n'))
  const stasis = opened.dialects.get('stasis')!
  const xcc = opened.dialects.get('xcc')!
  const events = recordedFrames('test/fixtures/ari/frames.jsonl.gz').map(({ text }) => JSON.parse(text) as Event)
  const destroyed = events.find(({ type, cause }) => type === 'ChannelDestroyed' && cause === 0)!
  const factOf = (event: object) =>
    stasis.decode({ node: 'ast1' }, Buffer.from(JSON.stringify(event))).facts[0] as ChannelFact
  const changed = (state: string) =>
    factOf({ ...destroyed, type: 'ChannelStateChange', channel: { ...destroyed.channel, state } })

  /** The account of a call that a controller gets. */
  function cdrOf(...facts: ChannelFact[]): Record<string, unknown> {
    const view = known(...facts)
    const occasion = { fact: facts.at(-1)!, view, told: nothingTold() }
    const said = sequenceFor('xcc')(occasion, {
      loopback: false,
      makeCdr: true,
      cdrOrder: 'before-end',
      onlyControllable: false,
      steerable: true,
    })
    const [message] = xcc.encode({ facts: said.filter(({ kind }) => kind === 'cdr') }).messages
    return (JSON.parse(Buffer.from(message!.body).toString()) as { params: { cdr: Record<string, unknown> } }).params
      .cdr
  }

  test('without a cause is normal clearing where it was answered', () => {
    expect(cdrOf(changed('Up'), factOf(destroyed))).toMatchObject({ hangup_cause: 'NORMAL_CLEARING' })
  })

  test('without a cause has none where it was not', () => {
    expect(cdrOf(changed('Ringing'), factOf(destroyed)).hangup_cause ?? '').toBe('')
  })

  test('is written with the cause that was told', () => {
    const [message] = stasis.encode({ facts: [factOf(destroyed)] }).messages
    expect(JSON.parse(Buffer.from(message!.body).toString())).toEqual(destroyed)
  })
})
