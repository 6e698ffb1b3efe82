import { setTimeout as delay } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { makeFollowed } from '../../../src/transports/ari-client/followed.js'

function setUp() {
  const living = new Set<string>()
  const untold = vi.fn()
  const followed = makeFollowed({ addChannel: async (id) => living.has(id) }, untold)
  return { followed, living, untold }
}

test('who cannot be followed is dead until it is forgotten or begins anew, and their ends are told of together', async () => {
  const { followed, living, untold } = setUp()
  living.add('live')
  for (const id of ['live', 'a', 'b', 'c']) await followed.add(id)
  expect([...followed.dead]).toEqual(['a', 'b', 'c'])
  await vi.waitFor(() => expect(untold).toHaveBeenCalledTimes(1), 2000)
  followed.forget(['a', 'never'])
  living.add('b')
  await followed.add('b')
  expect([...followed.dead]).toEqual(['c'])
})

test('after closing nothing is told of', async () => {
  const { followed, untold } = setUp()
  await followed.add('a')
  followed.close()
  await followed.add('b')
  await delay(600)
  expect(untold).not.toHaveBeenCalled()
})
