import { expect, test } from 'vitest'
import { noArrivals } from '../arrivals.js'
import { openAccount } from './account.js'

const take = (arrivals: ReturnType<typeof noArrivals>, uuid: string, sequence: number) =>
  arrivals.take({ entity: uuid, word: 'ANSWERED', id: `${uuid}.${sequence}`, sequence }, 0)

test('calls of which everything came are forgotten after a while, others are waited for and then lost', () => {
  let now = 0
  const arrivals = noArrivals()
  const account = openAccount(arrivals, () => now)
  for (const uuid of ['c-0', 'c-1']) {
    take(arrivals, uuid, 0)
    account.ended(uuid, 2)
  }
  take(arrivals, 'c-0', 1)
  account.settle()
  expect([account.open(), account.lost(), arrivals.remembered()]).toEqual([2, 0, 2])
  now = 5000
  account.settle()
  expect([account.open(), account.lost(), arrivals.remembered()]).toEqual([1, 0, 1])
  now = 60_000
  account.settle()
  expect([account.open(), account.lost(), arrivals.remembered(), arrivals.received()]).toEqual([0, 1, 0, 3])
})

test('in the end nothing gets any more time', () => {
  const arrivals = noArrivals()
  const account = openAccount(arrivals, () => 0)
  account.ended('c-0', 3)
  account.settle(true)
  expect([account.open(), account.lost()]).toEqual([0, 3])
})
