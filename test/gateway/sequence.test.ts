import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nothingTold, type SequenceOptions, sequenceFor } from '../../src/gateway/sequence/index.js'
import type { CallView } from '../../src/gateway/state.js'
import { observe } from '../../src/gateway/tracker.js'
import type { ChannelFact, Fact } from '../../src/model/index.js'
import { channel, flagged } from './facts.js'

const OPTIONS: SequenceOptions = {
  loopback: false,
  makeCdr: true,
  cdrOrder: 'before-end',
  onlyControllable: false,
  steerable: false,
}

/** What a target of a dialect is told of facts about one channel, in short words. */
function told(dialect: string, facts: readonly ChannelFact[], options: Partial<SequenceOptions> = {}): string[] {
  const told = nothingTold()
  let view: CallView | undefined
  const sequence = sequenceFor(dialect)
  return facts.flatMap((fact, i) => {
    view = observe(view, fact, 'source', 1000 * i)
    return sequence({ fact, view, told }, { ...OPTIONS, ...options }).map(word)
  })
}

function word(fact: Fact): string {
  if (fact.kind !== 'channel') return fact.kind
  const { state, change, flags } = fact
  if (change === 'bridge') return flags?.bridged ? `bridge ${fact.peers?.[0] ?? ''}` : 'unbridge'
  if (change === 'hold') return flags?.held ? 'hold' : 'unhold'
  if (change === 'control') return flags?.controllable ? 'enters' : 'leaves'
  return change === 'ready' ? 'ready' : String(state)
}

const bridged = (peer: string) => channel('answered', { change: 'bridge', flags: { bridged: true }, peers: [peer] })
const hold = (held: boolean) => channel('answered', { change: 'hold', flags: { held } })

describe('receivers that must be told of a channel first', () => {
  const cases: [string, ChannelFact[], string[]][] = [
    [
      'an announced call',
      [channel('new'), channel('ringing'), channel('answered'), channel('ended')],
      ['new', 'ringing', 'answered', 'cdr', 'ended'],
    ],
    ['a call first seen ringing is announced', [channel('ringing')], ['new', 'ringing']],
    ['a call first seen bridged is announced and answered before', [bridged('p')], ['new', 'answered', 'bridge p']],
    [
      'states in a source that goes back and forth are told once',
      [channel('early'), channel('ringing'), channel('early'), channel('answered')],
      ['new', 'early', 'ringing', 'answered'],
    ],
    ['a repeated state is told once', [channel('ringing'), channel('ringing')], ['new', 'ringing']],
    [
      'the end closes a bridge first',
      [bridged('p'), channel('ended')],
      ['new', 'answered', 'bridge p', 'unbridge', 'cdr', 'ended'],
    ],
    [
      'another peer is another bridge',
      [bridged('p'), bridged('q')],
      ['new', 'answered', 'bridge p', 'unbridge', 'bridge q'],
    ],
    [
      'an answered call without peer is no longer bridged',
      [bridged('p'), flagged('answered', { bridged: false })],
      ['new', 'answered', 'bridge p', 'unbridge'],
    ],
    [
      'hold and its end',
      [channel('answered'), hold(true), hold(true), hold(false)],
      ['new', 'answered', 'hold', 'unhold'],
    ],
    [
      'nothing follows the end',
      [channel('ringing'), channel('ended'), channel('ended'), channel('ringing')],
      ['new', 'ringing', 'cdr', 'ended'],
    ],
    ['an end without a beginning is a call all the same', [channel('ended')], ['new', 'cdr', 'ended']],
    ['a state that no one knows announces nothing', [channel(undefined)], []],
    [
      'ready is said once',
      [
        channel('new'),
        channel(undefined, { change: 'ready', flags: { ready: true } }),
        channel(undefined, { change: 'ready', flags: { ready: true } }),
      ],
      ['new', 'ready'],
    ],
    [
      'a loopback channel is not announced',
      [flagged('ringing', { loopback: true }), flagged('ended', { loopback: true })],
      [],
    ],
    [
      'a channel that turns out to be loopback is ended all the same',
      [channel('ringing'), flagged('ended', { loopback: true })],
      ['new', 'ringing', 'cdr', 'ended'],
    ],
  ]
  test.each(cases)('%s', (_name, facts, want) => expect(told('xcc', facts)).toEqual(want))

  test('a loopback channel is announced where the route says so', () => {
    expect(told('xcc', [flagged('ringing', { loopback: true })], { loopback: true })).toEqual(['new', 'ringing'])
  })

  test('of an Asterisk that is steered, what is in the application or on offer is announced, and told of to its end', () => {
    const steered = { onlyControllable: true }
    const offer = (offered: boolean) => flagged('new', { offered }, { change: 'offer' })
    const enters = flagged('new', { controllable: true }, { change: 'control' })
    const rest = [channel('answered'), channel('ended')]
    expect(told('xcc', [channel('new'), ...rest], steered)).toEqual([])
    expect(told('xcc', [channel('new'), enters, ...rest], steered)).toEqual(['new', 'answered', 'cdr', 'ended'])
    expect(told('xcc', [offer(true), enters, ...rest], steered)).toEqual(['new', 'answered', 'cdr', 'ended'])
    expect(told('xcc', [offer(true), offer(false), ...rest], steered)).toEqual(['new', 'answered', 'cdr', 'ended'])
    expect(told('xcc', [offer(false), ...rest], steered)).toEqual([])
  })

  test('without an account of ours the end stands alone; after it where that is asked for', () => {
    expect(told('xcc', [channel('ended')], { makeCdr: false })).toEqual(['new', 'ended'])
    expect(told('xcc', [channel('ended')], { cdrOrder: 'after-end' })).toEqual(['new', 'ended', 'cdr'])
  })
})

describe('receivers that take things as they come', () => {
  const cases: [string, ChannelFact[], string[]][] = [
    [
      'a whole call',
      [
        channel('new'),
        channel('ringing'),
        channel('answered'),
        bridged('p'),
        hold(true),
        hold(false),
        flagged('answered', { bridged: false }),
        channel('ended'),
      ],
      ['new', 'ringing', 'answered', 'bridge p', 'hold', 'unhold', 'unbridge', 'ended'],
    ],
    ['new and early are one word', [channel('new'), channel('early')], ['new']],
    [
      'a state is not repeated, but comes again after another',
      [channel('early'), channel('early'), channel('ringing'), channel('early')],
      ['early', 'ringing', 'early'],
    ],
    ['nothing follows the end', [channel('ended'), channel('ended')], ['ended']],
    ['a loopback channel is not told', [flagged('ringing', { loopback: true })], []],
  ]
  test.each(cases)('%s', (_name, facts, want) => expect(told('voice-events', facts)).toEqual(want))
})

describe('applications that a channel is handed to', () => {
  const cases: [string, ChannelFact[], string[]][] = [
    [
      'a whole call',
      [
        channel('new'),
        channel('ringing'),
        channel('answered'),
        bridged('p'),
        hold(true),
        hold(false),
        channel('ended'),
      ],
      ['enters', 'ringing', 'answered', 'bridge p', 'hold', 'unhold', 'unbridge', 'leaves', 'ended'],
    ],
    ['a call first seen at its end', [channel('ended')], ['enters', 'leaves', 'ended']],
    ['no account is made, nothing is ready', [flagged('answered', { ready: true })], ['enters', 'answered']],
    ['nothing follows the end', [channel('new'), channel('ended'), channel('ringing')], ['enters', 'leaves', 'ended']],
    ['a loopback channel is not handed over', [flagged('ringing', { loopback: true })], []],
  ]
  test.each(cases)('%s', (_name, facts, want) => expect(told('stasis', facts)).toEqual(want))

  test('the facts that hand a channel over say whether it can be controlled', () => {
    const view = observe(undefined, channel('ended'), 'source', 0)
    const facts = sequenceFor('stasis')({ fact: channel('ended'), view, told: nothingTold() }, OPTIONS)
    const handing = facts.filter((fact) => fact.kind === 'channel' && fact.change === 'control')
    expect(handing).toMatchObject([{ flags: { controllable: true } }, { flags: { controllable: false } }])
  })

  test('both legs of a call are in one bridge, and one that leaves is not among its members', () => {
    const bridges = (id: string, peer: string) => {
      const told = nothingTold()
      const view = observe(undefined, { ...bridged(peer), id }, 'source', 0)
      const entered = sequenceFor('stasis')({ fact: bridged(peer), view, told }, OPTIONS).at(-1)
      const over = observe(view, { ...channel('ended'), id }, 'source', 1)
      const [left] = sequenceFor('stasis')({ fact: channel('ended'), view: over, told }, OPTIONS)
      return [entered, left].map((fact) => (fact?.kind === 'channel' ? fact.bridge : undefined))
    }
    expect(bridges('a', 'b')).toEqual([
      { id: 'a+b', members: ['a', 'b'] },
      { id: 'a+b', members: ['b'] },
    ])
    expect(bridges('b', 'a')).toEqual([
      { id: 'a+b', members: ['b', 'a'] },
      { id: 'a+b', members: ['a'] },
    ])
  })
})

const anyFact = fc
  .record({
    state: fc.constantFrom('new', 'ringing', 'early', 'answered', 'ended', undefined),
    change: fc.constantFrom('state', 'bridge', 'hold', 'ready'),
    bridged: fc.option(fc.boolean(), { nil: undefined }),
    held: fc.option(fc.boolean(), { nil: undefined }),
    peer: fc.constantFrom('p', 'q', undefined),
    full: fc.boolean(),
  })
  .map(
    ({ state, change, bridged, held, peer, full }): ChannelFact => ({
      kind: 'channel',
      id: 'c1',
      change,
      full,
      ...(state !== undefined && { state }),
      flags: { ...(bridged !== undefined && { bridged }), ...(held !== undefined && { held }) },
      ...(peer !== undefined && { peers: [peer] }),
    }),
  )

describe('whatever a source does', () => {
  const seed = process.env.FC_SEED === undefined ? {} : { seed: Number(process.env.FC_SEED) }

  test('controllers hear the announcement first, each state once, one account and one end, and nothing after it', () => {
    fc.assert(
      fc.property(fc.array(anyFact, { maxLength: 20 }), (facts) => {
        const words = told('xcc', facts)
        if (words.length === 0) return
        expect(words[0]).toBe('new')
        for (const once of ['new', 'ringing', 'early', 'answered', 'cdr', 'ended', 'ready']) {
          expect(words.filter((each) => each === once).length).toBeLessThanOrEqual(1)
        }
        if (words.includes('ended')) expect(words.slice(-2)).toEqual(['cdr', 'ended'])
        const bridges = words.filter((each) => each.includes('bridge'))
        for (const [i, each] of bridges.entries()) expect(each.startsWith('bridge')).toBe(i % 2 === 0)
      }),
      seed,
    )
  })

  test('applications hear that a channel is theirs, each state once, and at last that it is over', () => {
    fc.assert(
      fc.property(fc.array(anyFact, { maxLength: 20 }), (facts) => {
        const words = told('stasis', facts)
        if (words.length === 0) return
        expect(words[0]).toBe('enters')
        for (const once of ['enters', 'ringing', 'early', 'answered', 'leaves', 'ended'])
          expect(words.filter((each) => each === once).length).toBeLessThanOrEqual(1)
        if (words.includes('leaves') || words.includes('ended')) expect(words.slice(-2)).toEqual(['leaves', 'ended'])
        const bridges = words.filter((each) => each.includes('bridge'))
        for (const [i, each] of bridges.entries()) expect(each.startsWith('bridge')).toBe(i % 2 === 0)
      }),
      seed,
    )
  })

  test('others hear no state twice in a row, one end, and nothing after it', () => {
    fc.assert(
      fc.property(fc.array(anyFact, { maxLength: 20 }), (facts) => {
        const words = told('voice-events', facts)
        const states = words.filter((each) => ['new', 'ringing', 'early', 'answered', 'ended'].includes(each))
        for (const [i, each] of states.entries()) if (i > 0) expect(each).not.toBe(states[i - 1])
        const end = words.indexOf('ended')
        if (end >= 0) expect(end).toBe(words.length - 1)
      }),
      seed,
    )
  })
})
