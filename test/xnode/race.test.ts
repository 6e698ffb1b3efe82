import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SteeredSite, startSteeredSite, type TestController, until } from './site.js'

const CALLS = 200

let site: SteeredSite
let one: TestController
let other: TestController

beforeAll(async () => {
  site = await startSteeredSite({ loopback: true, steer: 'acceptWithinMs: 60000' })
  one = await site.controller()
  other = await site.controller()
})
afterAll(() => site.stop())

const started = ({ heard }: TestController) =>
  new Set(heard.filter(({ params }) => params?.state === 'START').map(({ params }) => String(params?.uuid)))

test(`of two controllers one gets each of ${CALLS} calls, and the other is told so`, async () => {
  for (let i = 0; i < CALLS; i++) {
    const made = {
      endpoint: `Local/in-${site.asterisk.app}@services`,
      context: 'services',
      extension: 'silent',
      priority: 1,
    }
    expect((await site.asterisk.ari('POST', '/channels', made)).status).toBe(200)
  }
  await until(
    () => started(one).size >= CALLS && started(other).size >= CALLS,
    () => `${started(one).size} and ${started(other).size} calls were announced`,
    30_000,
  )
  const uuids = [...started(one)]
  expect(uuids).toHaveLength(CALLS)
  const pairs = await Promise.all(
    uuids.map((uuid, i) => {
      const ask = [one, other].map((each) => () => each.ask('Accept', { uuid }))
      // Either may be the first to ask.
      if (i % 2 === 1) ask.reverse()
      return Promise.all(ask.map((run) => run()))
    }),
  )
  expect(pairs.map(([a, b]) => [a!.code, b!.code].sort()).filter(([a, b]) => a !== 200 || b !== 419)).toEqual([])
  await Promise.all(uuids.map((uuid) => one.ask('Accept', { uuid, takeover: true })))
  await Promise.all(uuids.map((uuid) => one.ask('Hangup', { uuid })))
  await until(
    () => uuids.every((uuid) => one.wordsOf(uuid).includes('DESTROY')),
    () => 'not every call ended',
    30_000,
  )
  // What is told to both came to the other one, too, and what was on its way before this answer.
  await until(
    () => uuids.every((uuid) => other.wordsOf(uuid).includes('CDR')),
    () => 'not every account came to the other one',
  )
  await other.ask('JStatus', { data: { command: 'status' } })
  expect(uuids.filter((uuid) => other.wordsOf(uuid).includes('DESTROY'))).toEqual([])
}, 120_000)
