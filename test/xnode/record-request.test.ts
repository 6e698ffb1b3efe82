import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { listenerId, recordRequestOf } from '../../src/calls/xnode/record-request.js'

describe('the name of a recording', () => {
  test.each([
    ['call.wav', 'call', 'wav'],
    ['/var/rec/2026/call-1.wav', 'var/rec/2026/call-1', 'wav'],
    ['a/./b//c.WAV', 'a/b/c', 'wav'],
    ['no-extension', 'no-extension', 'wav'],
    ['a.b.ulaw', 'a.b', 'ulaw'],
    ['x.pcma', 'x', 'alaw'],
  ])('of %s', (path, name, format) => {
    expect(recordRequestOf({ path })).toMatchObject({ value: { path, name, format, action: 'RECORD' } })
  })

  test('follows the rate', () => {
    expect(recordRequestOf({ path: 'a.wav', rate: 16_000 })).toMatchObject({ value: { format: 'wav16' } })
    expect(recordRequestOf({ path: 'a.wav', rate: 44_100 })).toMatchObject({ refused: { code: 501 } })
    expect(recordRequestOf({ path: 'a.constructor' })).toMatchObject({ refused: { code: 501 } })
  })

  test('never climbs and never hides, whatever the path', () => {
    const piece = fc.constantFrom('..', '.', '/', '//', 'a', '-b', '.c', '%2e', '\\', ' ', '\u0000', 'd.wav', 'é')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const read = recordRequestOf({ path: pieces.join('') })
        if ('refused' in read) return
        expect(read.value.name).toMatch(/^[\w+=@-][\w+=@.-]*(\/[\w+=@-][\w+=@.-]*)*$/)
      }),
    )
  })
})

test.each([
  [{ path: '' }, 400],
  [{ path: '..' }, 400],
  [{ path: `${'a'.repeat(300)}.wav` }, 400],
  [{ path: 'a.wav', action: 'REWIND' }, 400],
  [{ path: 'a.wav', limit: 4_000_000_000 }, 400],
  [{ path: 'a.wav', silence_seconds: 4_000_000_000 }, 400],
  [{ path: 'a.wav', terminators: '#!' }, 400],
  [{ path: 'a.wav', beep: 'tadaa' }, 400],
  [{ path: 'a.mp3' }, 501],
])('%j is refused with %i', (params, code) => {
  expect(recordRequestOf(params)).toMatchObject({ refused: { code } })
})

test('a listener is known by its channel and its recording', () => {
  expect(listenerId('a', 'b')).toBe(listenerId('a', 'b'))
  expect(new Set([listenerId('a', 'b'), listenerId('a', 'c'), listenerId('ab', '')]).size).toBe(3)
})
