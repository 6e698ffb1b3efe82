import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { completeCause } from '../../src/model/index.js'

describe('the half nobody told', () => {
  test.each([
    ['the name of a code', { code: 17 }, { code: 17, name: 'USER_BUSY' }],
    ['the code of a name', { name: 'NORMAL_CLEARING' }, { code: 16, name: 'NORMAL_CLEARING' }],
    ['the last code', { code: 127, protocol: 487 }, { code: 127, name: 'INTERWORKING', protocol: 487 }],
    ['a code of 0 beside a name', { code: 0, name: 'NO_ANSWER' }, { code: 19, name: 'NO_ANSWER' }],
    ['a code of 0 beside a SIP status', { code: 0, protocol: 480 }, { protocol: 480 }],
    ['a code of 0 alone', { code: 0 }, undefined],
    ['nothing', undefined, undefined],
    ['an empty cause', {}, {}],
  ])('%s', (_, told, complete) => {
    expect(completeCause(told)).toStrictEqual(complete)
  })

  test.each([
    ['both halves, though they disagree', { code: 16, name: 'USER_BUSY' }],
    ['a code FreeSWITCH has no name for', { code: 26 }],
    ['a code beyond Q.850', { code: 999 }],
    ['a name FreeSWITCH has beyond Q.850', { name: 'ORIGINATOR_CANCEL' }],
    ['a SIP status alone', { protocol: 486 }],
  ])('%s: stays the same object', (_, told) => {
    expect(completeCause(told)).toBe(told)
  })

  test('code and name lead to each other, and what is complete stays so', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 130 }), (code) => {
        const complete = completeCause({ code })
        if (complete?.name === undefined) return
        expect(completeCause({ name: complete.name })).toStrictEqual(complete)
        expect(completeCause(complete)).toBe(complete)
      }),
    )
    const named = Array.from({ length: 130 }, (_, code) => completeCause({ code })?.name).filter(Boolean)
    expect(new Set(named).size).toBe(named.length)
    expect(named.length).toBe(49)
  })
})
