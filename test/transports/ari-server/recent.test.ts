import { expect, test } from 'vitest'
import { makeRecent } from '../../../src/transports/ari-server/recent.js'

test('the last ones are remembered, and older ones are not for ever', () => {
  const recent = makeRecent(10)
  for (let at = 0; at < 100; at++) {
    recent.add(`t${at}`)
    for (let before = 0; before < Math.min(10, at); before++) expect(recent.has(`t${at - before}`)).toBe(true)
    expect(recent.has(`t${at - 20}`)).toBe(false)
  }
})

test('what is taken out is forgotten, however long ago it was added', () => {
  const recent = makeRecent(3)
  for (const text of ['a', 'b', 'c', 'd']) recent.add(text)
  for (const text of ['b', 'd']) recent.delete(text)
  expect(['a', 'b', 'c', 'd'].map(recent.has)).toEqual([true, false, true, false])
})
