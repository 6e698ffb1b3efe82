import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Leases, makeLeases } from '../../src/gateway/replicas/leases.js'
import { createLog } from '../../src/telemetry/index.js'
import { until } from '../faults/site.js'
import { startNats, type TestNats } from '../harness/index.js'
import { openStore } from './open-store.js'

let nats: TestNats
const opened: (() => Promise<void>)[] = []
beforeEach(async () => {
  nats = await startNats()
})
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
  await nats.stop()
})

/** Leases that make whoever holds them slower to take another one. */
const BUSY = ['a', 'b', 'c', 'd', 'e']
const silent = createLog({ level: 'silent', format: 'json' })

interface TestReplica extends Leases {
  /** When each lease was taken, by `performance.now()`. */
  readonly takenAt: Map<string, number>
}

async function replica(duties: readonly string[], isAble: boolean): Promise<TestReplica> {
  const shared = await openStore(nats.url)
  opened.push(shared.close)
  const takenAt = new Map<string, number>()
  const leases = makeLeases({
    bucket: shared.bucket,
    me: `replica-${opened.length}`,
    duties,
    spreadAfterMs: 0,
    isAble: () => isAble,
    taken: (duty) => void takenAt.set(duty, performance.now()),
    lost: (duty) => void takenAt.delete(duty),
    log: silent,
  })
  opened.push(leases.stop)
  await leases.start()
  return { ...leases, takenAt }
}

const holdsAll = (each: TestReplica, duties: readonly string[]) => until(() => duties.every(each.holds))

/** A holder of `link`, one that could take it at once and is slow to ask, and one that is quick and could not. */
async function three() {
  const holder = await replica(['link'], true)
  await holdsAll(holder, ['link'])
  const able = await replica([...BUSY, 'link'], true)
  await holdsAll(able, BUSY)
  const unable = await replica(['link'], false)
  await until(() => unable.hasOthers() && able.hasOthers())
  return { holder, able, unable }
}

test('the lease of a replica that fell silent goes to one whose links stand', async () => {
  const { holder, able, unable } = await three()
  await holder.stop()
  await until(() => able.holds('link') || unable.holds('link'))
  expect(able.holds('link')).toBe(true)
})

test('a lease that is given back goes to a replica whose links stand', async () => {
  const { holder, able, unable } = await three()
  await holder.release('link', Date.now())
  await until(() => able.holds('link') || unable.holds('link'))
  expect(able.holds('link')).toBe(true)
})

test('a replica whose links do not stand takes a lease a second later than others would', async () => {
  const holder = await replica(['link'], true)
  await holdsAll(holder, ['link'])
  const others = [await replica(['link'], false), await replica(['link'], false)]
  await until(() => others.every((each) => each.hasOthers()))
  await holder.stop()
  const stoppedAt = performance.now()
  await until(() => others.some((each) => each.holds('link')))
  const [takenAt] = others.flatMap((each) => [...each.takenAt.values()])
  // The last renewal may be one beat old.
  expect(takenAt! - stoppedAt).toBeGreaterThan(2500)
})

test('a replica that is alone takes a lease that was given back although its links do not stand', async () => {
  const holder = await replica(['link'], true)
  await holdsAll(holder, ['link'])
  await holder.release('link', Date.now())
  await holder.stop()
  const alone = await replica(['link'], false)
  await holdsAll(alone, ['link'])
})

test('a lease for a duty that only replicas of another configuration have is left alone', async () => {
  const other = await replica(['link', 'gone'], true)
  await holdsAll(other, ['link', 'gone'])
  const ours = await replica(['link'], true)
  await until(() => ours.hasOthers())
  await other.release('gone', Date.now())
  await other.release('link', Date.now())
  await holdsAll(ours, ['link'])
  // Longer than anybody hesitates to take what was given back.
  await delay(300)
  expect(ours.holds('gone')).toBe(false)
  expect([...ours.takenAt.keys()]).toEqual(['link'])
})
