import { expect, test } from 'vitest'
import { when } from '../../../src/calls/xnode/facts.js'
import { makeHappenings } from '../../../src/calls/xnode/happenings.js'
import { whenTold } from '../../../src/calls/xnode/told.js'

const bounds = { timeoutMs: 60_000 }
const any = when(() => true)

test('what is told before the request is answered is heard', async () => {
  const happenings = makeHappenings()
  const outcome = await whenTold({ happenings }, 'a', any, bounds, async () =>
    happenings.note({ kind: 'channel', id: 'a', state: 'ringing' }),
  )
  expect(outcome).toEqual({ kind: 'told', value: true })
})

test('a request that fails leaves no listener behind', async () => {
  const happenings = makeHappenings()
  const refusal = new Error('no')
  await expect(whenTold({ happenings }, 'a', any, bounds, () => Promise.reject(refusal))).rejects.toBe(refusal)
  expect(happenings.count()).toBe(0)
})

test('a wait that is given up from outside is over once the request is answered', async () => {
  const happenings = makeHappenings()
  const signal = AbortSignal.abort()
  expect(await whenTold({ happenings }, 'a', any, { ...bounds, signal }, async () => 'done')).toEqual({
    kind: 'stopped',
  })
})
