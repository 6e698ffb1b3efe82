import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  NO_TRACE,
  readTraceparent,
  traceHeadersOf,
  withTrace,
  writeTraceparent,
} from '../../src/telemetry/trace-context.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const PARENT = `00-${TRACE}-${SPAN}-01`

const id = (digits: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits })
    .map((all) => all.join(''))
    .filter((text) => /[^0]/.test(text))

test('whatever context is written is read as it was', () => {
  const contexts = fc.record({ traceId: id(32), spanId: id(16), isSampled: fc.boolean() })
  fc.assert(
    fc.property(contexts, (context) => {
      const text = writeTraceparent(context)
      expect(readTraceparent(text)).toEqual(context)
      expect(traceHeadersOf({ traceparent: text })).toEqual({ traceparent: text })
    }),
  )
})

test('no text whatever is more than a context or none', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const carried = traceHeadersOf({ traceparent: text, tracestate: text })
      expect(carried).toEqual(readTraceparent(text) === undefined ? {} : expect.objectContaining({ traceparent: text }))
    }),
  )
})

describe('a malformed context is none:', () => {
  const malformed: { name: string; text: string | undefined }[] = [
    { name: 'no text', text: undefined },
    { name: 'an empty one', text: '' },
    { name: 'capital digits', text: PARENT.toUpperCase() },
    { name: 'a trace of zeros', text: `00-${'0'.repeat(32)}-${SPAN}-01` },
    { name: 'a span of zeros', text: `00-${TRACE}-${'0'.repeat(16)}-01` },
    { name: 'the version that is forbidden', text: `ff-${TRACE}-${SPAN}-01` },
    { name: 'more than version 00 has', text: `${PARENT}-more` },
    { name: 'a short trace', text: `00-${TRACE.slice(1)}-${SPAN}-01` },
    { name: 'two of them', text: `${PARENT}, ${PARENT}` },
    { name: 'a line break', text: `${PARENT}\n` },
    { name: 'a later version that never ends', text: `01-${TRACE}-${SPAN}-01-${'x'.repeat(300)}` },
  ]
  test.each(malformed)('$name', ({ text }) => {
    expect(readTraceparent(text)).toBeUndefined()
    expect(traceHeadersOf({ ...(text !== undefined && { traceparent: text }), tracestate: 'a=1' })).toBe(NO_TRACE)
  })
})

test('a later version is read as far as it is known', () => {
  expect(readTraceparent(`cc-${TRACE}-${SPAN}-03-what-comes-later`)).toEqual({
    traceId: TRACE,
    spanId: SPAN,
    isSampled: true,
  })
})

describe('the headers of a message', () => {
  test('are read in any case, and go on in lower case', () => {
    const given = { TraceParent: PARENT, TRACESTATE: 'vendor=x,other=y', 'patchbay-id': 'i' }
    expect(traceHeadersOf(given)).toEqual({ traceparent: PARENT, tracestate: 'vendor=x,other=y' })
  })

  test('of which one is right and one only nearly: the right one counts, in whatever order', () => {
    const other = `00-${TRACE}-${'1'.repeat(16)}-00`
    for (const given of [
      { traceparent: PARENT, Traceparent: other },
      { Traceparent: other, traceparent: PARENT },
    ])
      expect(traceHeadersOf(given)).toEqual({ traceparent: PARENT })
  })

  test.each([
    { name: 'too long', state: `a=${'x'.repeat(512)}` },
    { name: 'in two lines', state: 'a=1\nb=2' },
    { name: 'empty', state: '' },
  ])('lose a state that is $name, and keep the rest', ({ state }) => {
    expect(traceHeadersOf({ traceparent: PARENT, tracestate: state })).toEqual({ traceparent: PARENT })
  })

  test('with another context have no other beside it, and all else as it was', () => {
    const given = { Traceparent: PARENT, tracestate: 'a=1', theirs: 'x' }
    const ours = `00-${TRACE}-${'2'.repeat(16)}-01`
    expect(withTrace(given, { traceparent: ours })).toEqual({ theirs: 'x', traceparent: ours })
    expect(withTrace(given, NO_TRACE)).toBe(given)
  })
})
