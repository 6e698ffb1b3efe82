import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { sayOnceKept } from '../../src/gateway/post.js'

/** What is done, in order, with a message whose letters are kept in a journal. */
async function orderOf(post: () => Promise<void>, saidIs?: Promise<void>, order: string[] = []): Promise<string[]> {
  const said = () => {
    order.push('said')
    return saidIs
  }
  await sayOnceKept({ written: Promise.resolve(), said }, [], post).then(
    () => order.push('settled'),
    () => order.push('rejected'),
  )
  await turn()
  return order
}

test('a message is settled once it is noted that it was said', async () => {
  let note: () => void = () => undefined
  const noted = new Promise<void>((resolve) => {
    note = resolve
  })
  const soFar: string[] = []
  const order = orderOf(async () => undefined, noted, soFar)
  await turn()
  expect(soFar).toEqual(['said'])
  note()
  expect(await order).toEqual(['said', 'settled'])
})

test('one that cannot be noted is not settled', async () => {
  const outrun = Promise.reject(new GatewayError('state.outrun', 'another', { fate: 'retry' }))
  expect(await orderOf(async () => undefined, outrun)).toEqual(['said', 'rejected'])
})

test('what becomes of a refused message is kept before it counts as said', async () => {
  const refused = () => Promise.reject(new GatewayError('link.refused', 'too large'))
  expect(await orderOf(refused)).toEqual(['rejected', 'said'])
})

test('what could not be sent for now is not said', async () => {
  const away = () => Promise.reject(new GatewayError('link.lost', 'away', { fate: 'retry' }))
  expect(await orderOf(away)).toEqual(['rejected'])
})
