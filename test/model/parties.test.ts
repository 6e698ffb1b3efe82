import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Channel, completeParties, type Party } from '../../src/model/index.js'

const ann: Party = { name: 'Ann', number: '1001' }
const ben: Party = { number: '1002' }

describe('parties told one way', () => {
  test.each<[string, Channel, Channel]>([
    [
      'a leg that came in is the caller’s own',
      { direction: 'inbound', own: ann, far: ben },
      { direction: 'inbound', own: ann, far: ben, caller: ann, callee: ben },
    ],
    [
      'a leg that goes out is the callee’s own',
      { direction: 'outbound', own: ben, far: ann },
      { direction: 'outbound', own: ben, far: ann, caller: ann, callee: ben },
    ],
    [
      'caller and callee of a leg that came in',
      { direction: 'inbound', caller: ann, callee: ben },
      { direction: 'inbound', caller: ann, callee: ben, own: ann, far: ben },
    ],
    [
      'caller and callee of a leg that goes out',
      { direction: 'outbound', caller: ann, callee: ben },
      { direction: 'outbound', caller: ann, callee: ben, own: ben, far: ann },
    ],
    ['a caller alone', { direction: 'outbound', caller: ann }, { direction: 'outbound', caller: ann, far: ann }],
    [
      'a name on one side, a number on the other',
      { direction: 'inbound', caller: { name: 'Ann' }, own: { number: '1001' } },
      { direction: 'inbound', caller: ann, own: ann },
    ],
    [
      'a party told differently stays, the other is filled in',
      { direction: 'inbound', caller: ann, own: ben, far: ben },
      { direction: 'inbound', caller: ann, own: ben, far: ben, callee: ben },
    ],
  ])('%s', (_, told, complete) => {
    expect(completeParties(told)).toStrictEqual(complete)
  })

  test.each<[string, Channel]>([
    ['without a direction', { own: ann, caller: ben }],
    ['without parties', { direction: 'inbound', dialled: '9000' }],
    ['with all parties', { direction: 'inbound', own: ann, caller: ann, far: ben, callee: ben }],
    ['of whom one was told in two ways', { direction: 'inbound', own: ann, caller: ben }],
  ])('a channel %s stays the same object', (_, channel) => {
    expect(completeParties(channel)).toBe(channel)
  })

  test('nothing told is changed, and a second time changes nothing', () => {
    const party = fc.option(
      fc.record({ name: fc.constantFrom('Ann', 'Ben'), number: fc.constantFrom('1', '2') }, { requiredKeys: [] }),
      { nil: undefined },
    )
    const channels = fc.record({
      direction: fc.constantFrom('inbound' as const, 'outbound' as const),
      caller: party,
      callee: party,
      own: party,
      far: party,
    })
    fc.assert(
      fc.property(channels, (drawn) => {
        const channel = drawn as Channel // keys that are undefined count as left out
        const once = completeParties(channel)
        for (const side of ['caller', 'callee', 'own', 'far'] as const) {
          expect(once[side] ?? {}).toMatchObject(channel[side] ?? {})
        }
        expect(completeParties(once)).toStrictEqual(once)
      }),
    )
  })
})
