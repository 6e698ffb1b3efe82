import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareReturns, type Taken } from '../../src/gateway/returns.js'

interface One extends Taken {
  readonly name: string
}

/** `a1 b c2`: messages of these keys in the order of arrival; the number is the place of its acknowledgement. */
function takenFrom(text: string): One[] {
  return text.split(' ').map((word, at) => {
    const [key = '', settled] = [word.slice(0, 1), word.slice(1)]
    return { key, name: `${key}@${at}`, settled: settled === '' ? undefined : Number(settled) }
  })
}

/** Verdicts on deliveries by their keys; one in capitals is not marked as redelivered. */
function verdictsOn(taken: readonly One[], deliveries: string, window = 256): string[] {
  const returns = compareReturns(taken, window)
  const found: string[] = []
  const note = (verdicts: readonly (One | 'new')[]) =>
    found.push(...verdicts.map((verdict) => (verdict === 'new' ? 'new' : verdict.name)))
  for (const key of deliveries.split(' ')) {
    if (returns.isOver()) found.push('new')
    else note(returns.next(key.toLowerCase(), key === key.toLowerCase()))
  }
  if (!returns.isOver()) note(returns.decide())
  return found
}

describe('what comes after a break', () => {
  const cases = [
    {
      name: 'all acknowledgements had arrived: everything is new',
      taken: 'a1 b2 c3',
      comes: 'd E',
      want: ['new', 'new'],
    },
    { name: 'unsettled ones come again', taken: 'a1 b c', comes: 'b c d', want: ['b@1', 'c@2', 'new'] },
    {
      name: 'the last acknowledgements were lost',
      taken: 'a1 b2 c3 d',
      comes: 'b c d e',
      want: ['b@1', 'c@2', 'd@3', 'new'],
    },
    {
      name: 'acknowledged out of order, and the later one lost',
      taken: 'a3 b1 c2 d',
      comes: 'a d e',
      want: ['a@0', 'd@3', 'new'],
    },
    {
      name: 'a byte-identical one that was sent before the break but never seen is new',
      taken: 'a1 b2',
      comes: 'a C',
      want: ['new', 'new'],
    },
    {
      name: 'the same with an unsettled one before it',
      taken: 'a1 b2 c',
      comes: 'c a b d',
      want: ['c@2', 'new', 'new', 'new'],
    },
    {
      name: 'one not marked as redelivered is new, though it is byte-identical',
      taken: 'a1 b',
      comes: 'b A',
      want: ['b@1', 'new'],
    },
    { name: 'nothing but new ones', taken: 'a1 b2', comes: 'A B', want: ['new', 'new'] },
    {
      name: 'twice the same, both unsettled',
      taken: 'a1 b b c',
      comes: 'b b c b',
      want: ['b@1', 'b@2', 'c@3', 'new'],
    },
    {
      name: 'an order nobody expected: unsettled ones are known by their keys, the rest is new',
      taken: 'a1 b c d2',
      comes: 'c b a',
      want: ['c@2', 'b@1', 'new'],
    },
    {
      name: 'another consumer got an unsettled one: what comes is known by its key',
      taken: 'a1 b c',
      comes: 'c d',
      want: ['c@2', 'new'],
    },
    {
      name: 'too few came to be sure that they are the acknowledged ones',
      taken: 'a1 b2 c3',
      comes: 'a b',
      want: ['new', 'new'],
    },
    {
      name: 'a window of one leaves no room for waiting',
      taken: 'a1 b2 c',
      comes: 'b c D',
      window: 1,
      want: ['b@1', 'c@2', 'new'],
    },
  ]
  for (const { name, taken, comes, window, want } of cases) {
    test(name, () => expect(verdictsOn(takenFrom(taken), comes, window)).toEqual(want))
  }

  test('a long row of lost acknowledgements is recognised before its end', () => {
    const taken = Array.from({ length: 1000 }, (_, at) => ({ key: `k${at}`, name: '', settled: at }))
    const returns = compareReturns(taken, 256)
    const verdicts = taken.slice(100).map(({ key }) => returns.next(key, true))
    expect(verdicts.findIndex((some) => some.length > 0)).toBeLessThan(64)
    expect(verdicts.flat()).toEqual(taken.slice(100))
    expect(returns.next('k0', true)).toEqual(['new'])
  })
})

/** A queue, what a consumer took and settled of it, and which acknowledgements the broker lost. */
const breaks = fc
  .record({
    keys: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 60 }),
    unseen: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 20 }),
    unsettled: fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
    shuffle: fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 60, maxLength: 60 }),
    lost: fc.nat(),
  })
  .map(({ keys, unseen, unsettled, shuffle, lost }) => {
    const settledOnes = keys.map((_key, at) => at).filter((at) => !unsettled[at])
    const order = settledOnes.sort((a, b) => a + shuffle[a]! - b - shuffle[b]!)
    const arrived = new Set(order.slice(0, order.length - (lost % (order.length + 1))))
    const taken = keys.map((key, at): One => {
      const settled = order.indexOf(at)
      return { key: `k${key}`, name: `${at}`, settled: settled < 0 ? undefined : settled }
    })
    return { taken, again: taken.filter((_one, at) => !arrived.has(at)), unseen: unseen.map((key) => `k${key}`) }
  })

test('whichever acknowledgements were lost, exactly those messages are recognised when the first new one is unlike them', () => {
  const seed = process.env.FC_SEED
  fc.assert(
    fc.property(breaks, ({ taken, again, unseen }) => {
      const returns = compareReturns(taken, 256)
      const verdicts = [...again.map(({ key }) => key), 'unlike', ...unseen].flatMap((key) =>
        returns.isOver() ? ['new' as const] : returns.next(key, true),
      )
      if (!returns.isOver()) verdicts.push(...returns.decide())
      const names = verdicts.map((verdict) => (verdict === 'new' ? verdict : verdict.key))
      expect(names).toEqual([...again.map(({ key }) => key), 'new', ...unseen.map(() => 'new')])
    }),
    { numRuns: 2000, ...(seed !== undefined && { seed: Number(seed) }) },
  )
})
