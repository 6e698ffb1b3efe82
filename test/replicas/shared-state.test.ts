import { setTimeout as delay } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeCheckpoints, recordsOf } from '../../src/gateway/replicas/checkpoints.js'
import { makeReplicas, type Replicas, type ReplicaUse } from '../../src/gateway/replicas/index.js'
import type { CallView, Letters } from '../../src/gateway/state.js'
import { createLog } from '../../src/telemetry/index.js'
import { type Journal, makeSharedStore } from '../../src/transports/nats/index.js'
import type { Frame } from '../../src/transports/transport.js'
import { until } from '../faults/site.js'
import { startFaultProxy, startNats, type TestNats } from '../harness/index.js'
import { openStore } from './open-store.js'

let nats: TestNats
const started: Replicas[] = []
beforeEach(async () => {
  nats = await startNats()
})
afterEach(async () => {
  for (const each of started.splice(0)) await each.stop()
  await nats.stop()
})

const silent = createLog({ level: 'silent', format: 'json' })
const LINKS = ['one', 'two']

interface TestReplica extends Replicas {
  /** Links that were taken, with what was inherited. */
  readonly taken: Map<string, Parameters<ReplicaUse['take']>[1] extends (link: string) => infer I ? I : never>
  /** When they were taken from last before that, as it was told. */
  readonly since: Map<string, number | undefined>
  readonly dropped: string[]
  readonly overheard: Letters[]
  readonly begun: Frame[]
}

interface ReplicaOptions {
  readonly url?: string
  readonly keepMs?: number
  readonly pingIntervalMs?: number
  /** The journal as this replica sees it. */
  readonly journalAs?: (real: Journal) => Journal
}

async function replica(options: ReplicaOptions = {}): Promise<TestReplica> {
  const { url = nats.url, keepMs = 3_600_000, pingIntervalMs = 500, journalAs = (real) => real } = options
  const made = makeSharedStore({
    nats: { servers: [url], pingIntervalMs, maxPingsOut: 2, reconnectWaitMs: 50 },
    group: 'g',
    copies: 1,
    keepMs,
    declare: true,
  })
  const shared = { ...made, journal: journalAs(made.journal) }
  const duties = new Map(LINKS.map((link) => [link, [link]]))
  const treesOf = () => undefined
  const replicas = makeReplicas({ shared, keepMs, spreadAfterMs: 0, duties, treesOf, log: silent, now: Date.now })
  const seen: Pick<TestReplica, 'taken' | 'since' | 'dropped' | 'overheard' | 'begun'> = {
    taken: new Map(),
    since: new Map(),
    dropped: [],
    overheard: [],
    begun: [],
  }
  started.push(replicas)
  await replicas.start(
    {
      stands: () => true,
      take(links, legacyOf, since) {
        for (const link of links) {
          seen.taken.set(link, legacyOf(link))
          seen.since.set(link, since)
        }
      },
      async drop(links) {
        seen.dropped.push(...links)
        for (const link of links) seen.taken.delete(link)
      },
      overhear: (letters) => void seen.overheard.push(...letters),
      begun: (_, frames) => void seen.begun.push(...frames),
    },
    () => undefined,
  )
  return { ...replicas, ...seen }
}

/** Calls that stand in the bucket, whoever is to read them. */
async function keysOfCalls(): Promise<string[]> {
  const shared = await openStore(nats.url)
  const entries = await shared.bucket.all()
  await shared.close()
  return entries.map(({ key }) => key).filter((key) => key.startsWith('call.'))
}

const view = (state: NonNullable<CallView['channel']['state']>, link = 'one'): CallView => ({
  link,
  channel: { id: 'c', state },
  ext: { stasis: { more: { deep: [1, 'x', null] } } },
  told: {},
  seenFromStart: true,
})
const call = (state: NonNullable<CallView['channel']['state']>) => new Map([['c', view(state)]])
const inUse = (name: string) => new Map([[name, 'INUSE' as never]])
const letters = (text: string): Letters[] => [
  {
    to: 'bus',
    route: 'r',
    frames: [
      {
        address: { subject: 's' },
        headers: { h: 'ä' },
        body: Buffer.from(text),
        orderKey: 'k',
        messageId: text,
        at: 5,
      },
    ],
  },
]
const has = (each: TestReplica, ...links: readonly string[]) => until(() => links.every((link) => each.taken.has(link)))

describe('replicas on one store', () => {
  test('one has each duty, and all know what was kept', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const second = await replica()
    await first.store.keep({ link: 'one', calls: call('ringing') }).written
    await until(() => second.store.call('c') !== undefined)
    expect(second.store.call('c')).toEqual(view('ringing'))
    expect(second.taken.size).toBe(0)
    expect(second.holds('one')).toBe(false)
    await until(() => first.hasOthers())
    expect(first.hasOthers()).toBe(true)
  })

  test('what is handed over is taken at once, with everything that was not said', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const second = await replica()
    const said = first.store.keep({ link: 'one', letters: letters('said'), taken: { number: 1, key: 'a', id: 'A' } })
    await said.written
    said.said()
    await first.store.keep({ link: 'one', letters: letters('unsaid'), taken: { number: 2, key: 'b', id: 'B' } }).written
    const tookLast = Date.now() - 700
    await first.handOver(tookLast)
    await first.stop()
    await has(second, ...LINKS)
    const { taken, unsaid } = second.taken.get('one')!
    expect(taken).toEqual([
      { number: 1, key: 'a', id: 'A', said: 1 },
      { number: 2, key: 'b', id: 'B', said: undefined },
    ])
    expect(unsaid.map((each) => each.letters)).toEqual([letters('unsaid')])
    expect(unsaid[0]?.taken).toBe(2)
    expect(second.since.get('one')).toBe(tookLast)
  })

  test('what was not said is known to a replica that starts later, also when the bucket has the calls already', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const taken = { number: 1, key: 'a', id: 'A' }
    await first.store.keep({ link: 'one', calls: call('ringing'), letters: letters('unsaid'), taken }).written
    await first.store.keep({ link: 'two', devices: inUse('d') }).written
    await delay(2500)
    const second = await replica()
    await first.handOver(Date.now())
    await has(second, ...LINKS)
    expect(second.taken.get('one')).toMatchObject({
      taken: [{ ...taken, said: undefined }],
      unsaid: [{ letters: letters('unsaid') }],
    })
  })

  test('what a message came to is acknowledged once all know that it was said, and they know in which order', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const second = await replica()
    const messages = ['a', 'b', 'c', 'd'].map((key, at) => ({ number: at + 1, key, id: key.toUpperCase() }))
    const kept = messages.map((taken) => first.store.keep({ link: 'one', letters: letters(taken.key), taken }))
    await Promise.all(kept.map(({ written }) => written))
    await kept[2]!.said()
    await kept[0]!.said()
    // The fourth is said as well, and the process ends: either that was written or nobody can have acknowledged it.
    void kept[3]!.said()?.catch(() => undefined)
    await first.stop()
    await has(second, 'one')
    const { taken, unsaid } = second.taken.get('one')!
    const last = taken.at(-1)?.said
    expect([undefined, 3]).toContain(last)
    expect(taken.map(({ said }) => said)).toEqual([2, undefined, 1, last])
    expect(unsaid.map((each) => each.taken)).toEqual(last === undefined ? [2, 4] : [2])
  })

  test('a message that was refused and became a dead letter is known once, by what became of it last', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const second = await replica()
    const [refused, other] = ['refused', 'other'].map((key, at) => ({ number: at + 1, key, id: key }))
    const kept = first.store.keep({ link: 'one', letters: letters('refused'), taken: refused })
    await first.store.keep({ link: 'one', letters: letters('other'), taken: other }).written
    await kept.said()
    await first.store.keep({ link: 'one', letters: letters('dead letter'), taken: refused }).written
    await first.stop()
    await has(second, 'one')
    expect(second.taken.get('one')).toMatchObject({
      lastTaken: 2,
      taken: [
        { ...refused, said: undefined },
        { ...other, said: undefined },
      ],
    })
  })

  test('another message of the same number is another message', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const second = await replica()
    const messages = ['a', 'b'].map((key) => ({ number: 1, key, id: key }))
    const kept = messages.map((taken) => first.store.keep({ link: 'one', letters: letters(taken.key), taken }))
    await Promise.all(kept.map(({ written }) => written))
    await first.stop()
    await has(second, 'one')
    expect(second.taken.get('one')!.taken).toEqual(messages.map((each) => ({ ...each, said: undefined })))
  })

  test('what is said after its duty was lost is not acknowledged', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const taken = { number: 1, key: 'a', id: 'A' }
    const kept = first.store.keep({ link: 'one', letters: letters('late'), taken })
    await kept.written
    await first.handOver(Date.now())
    await expect(kept.said()).rejects.toMatchObject({ code: 'state.outrun', fate: 'retry' })
  })

  test('a replica that is to stop takes nothing any more', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const leaving = await replica()
    leaving.retire()
    const staying = await replica()
    await first.handOver(Date.now())
    await has(staying, ...LINKS)
    expect([...leaving.taken]).toEqual([])
  })

  test('what nobody tells any more is known to a replica that starts when all others are gone', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const devices = new Map([['PJSIP/1', 'INUSE' as never]])
    const terminals = new Map([['s', { serial: 's', number: '1003', online: true }]])
    await first.store.keep({ link: 'one', calls: call('answered'), devices, terminals }).written
    await first.store.keep({ link: 'two', terminals }).written
    // Long enough for a checkpoint, so that it comes from the bucket.
    await delay(1500)
    await first.handOver(Date.now())
    await first.stop()
    const second = await replica()
    expect(second.store.call('c')).toEqual(view('answered'))
    expect(second.store.terminal('one', 's')).toEqual({ serial: 's', number: '1003', online: true })
    expect(second.store.deviceState('one', 'PJSIP/1')).toBe('INUSE')
    await has(second, 'one')
    await second.store.keep({ link: 'one', calls: call('ended') }).written
    await delay(1500)
    const third = await replica()
    expect(third.store.callsOf('one')).toEqual([])
  })

  test('what ended under a second replica is gone from the bucket, though the first had written it down', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const second = await replica()
    await first.store.keep({ link: 'one', calls: call('ringing') }).written
    await delay(1500)
    await first.handOver(Date.now())
    await first.stop()
    await has(second, 'one')
    expect(await keysOfCalls()).toHaveLength(1)
    await second.store.keep({ link: 'one', calls: call('ended') }).written
    await delay(1500)
    expect(await keysOfCalls()).toEqual([])
  })

  test('a replica that was cut off and outrun gives up what it alone knew, and follows', async () => {
    const proxy = await startFaultProxy(nats.port)
    const cutOff = await replica({ url: proxy.through(nats.url) })
    await has(cutOff, ...LINKS)
    const other = await replica()
    proxy.faults.stalled = true
    const kept = cutOff.store.keep({ link: 'one', calls: call('ringing'), letters: letters('never') })
    await has(other, ...LINKS)
    await other.store.keep({ link: 'one', calls: call('answered') }).written
    proxy.faults.stalled = false
    await expect(kept.written).rejects.toMatchObject({ code: 'state.outrun', fate: 'retry' })
    await until(() => cutOff.dropped.includes('one'))
    await until(() => cutOff.store.call('c')?.channel.state === 'answered')
    expect(cutOff.store.call('c')).toEqual(view('answered'))
    await other.store.keep({ link: 'one', calls: call('ended') }).written
    await until(() => cutOff.store.call('c')?.channel.state === 'ended')
    expect(other.taken.get('one')?.unsaid).toEqual([])
    await proxy.close()
  })

  test('who does not have a duty changes nothing of what is known', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const second = await replica()
    const kept = second.store.keep({ link: 'one', calls: call('ringing') })
    await expect(kept.written).rejects.toMatchObject({ code: 'state.outrun' })
    expect(second.store.call('c')).toBeUndefined()
  })

  test('a request that one replica begins to carry out is known to the others at once', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const second = await replica()
    const request: Frame = { address: { subject: 's', reply: 'r' }, headers: {}, body: Buffer.from('{}') }
    await first.store.keep({ link: 'one', commands: new Map([['k', request]]) }).written
    await until(() => second.begun.length === 1)
    expect(second.begun[0]).toMatchObject({ address: request.address })
    expect(Buffer.from(second.begun[0]!.body).toString()).toBe('{}')
  })

  test('what lasts does not vanish, also when whoever took over has nothing to write', async () => {
    const keepMs = 3000
    const first = await replica({ keepMs })
    await has(first, ...LINKS)
    const second = await replica({ keepMs })
    await first.store.keep({ link: 'one', calls: call('answered') }).written
    await delay(1500)
    await first.handOver(Date.now())
    await first.stop()
    await has(second, ...LINKS)
    await delay(3 * keepMs)
    expect(await keysOfCalls()).toHaveLength(1)
  })

  test('an entry of the journal that nobody can read is passed over', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const second = await replica()
    await first.store.keep({ link: 'one', calls: call('ringing') }).written
    await first.handOver(Date.now())
    const third = await openStore(nats.url)
    await has(second, ...LINKS)
    await second.store.keep({ link: 'two', devices: inUse('x') }).written
    const place = await third.journal.lastOf('one')
    await third.journal.append('one', Buffer.from('{'), 'garbage', place, new AbortController().signal)
    await second.store
      .keep({ link: 'one', calls: call('answered') })
      .written?.catch((error: unknown) => expect(error).toMatchObject({ code: 'state.outrun' }))
    await until(() => [first, second].some((each) => each.holds('one')))
    await until(() => first.holds('one') || second.holds('one'))
    const holder = first.holds('one') ? first : second
    await until(() => holder.store.call('c') !== undefined)
    await holder.store.keep({ link: 'one', calls: call('ended') }).written
    await third.close()
  })

  /** Does not tell one entry of a line, the first time that it should. */
  function forgetful(line: string): { readonly journalAs: (real: Journal) => Journal; forget(): void } {
    let forgets = false
    const journalAs = (real: Journal): Journal => ({
      ...real,
      follow: (from, tell, ended) =>
        real.follow(
          from,
          (entry) => {
            if (!forgets || entry.line !== line) tell(entry)
            else forgets = false
          },
          ended,
        ),
    })
    const forget = () => {
      forgets = true
    }
    return { journalAs, forget }
  }

  /** Two replicas, the second of which is not told of the call that the first has. */
  async function callUntold(): Promise<readonly [TestReplica, TestReplica]> {
    const first = await replica()
    await has(first, ...LINKS)
    const { journalAs, forget } = forgetful('one')
    const second = await replica({ journalAs })
    forget()
    await first.store.keep({ link: 'one', calls: call('answered') }).written
    return [first, second]
  }

  test('a replica that was not told of the last entry of a line finds it before it writes', async () => {
    const [first, second] = await callUntold()
    await first.store.keep({ link: 'two', devices: inUse('d') }).written
    await until(() => second.store.deviceState('two', 'd') !== undefined)
    expect(second.store.call('c')).toBeUndefined()
    await first.handOver(Date.now())
    await has(second, ...LINKS)
    expect(second.store.call('c')).toEqual(view('answered'))
  })

  test('a replica that was not told of an entry finds it when the next one of that line comes', async () => {
    const [first, second] = await callUntold()
    await first.store.keep({ link: 'one', devices: inUse('d') }).written
    await until(() => second.store.call('c') !== undefined)
    expect(second.store.call('c')).toEqual(view('answered'))
    expect(second.store.deviceState('one', 'd')).toBe('INUSE')
  })

  test('a store that knows no end of a line, though it tells what stands there, keeps nobody from writing it', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    let isForgotten = true
    const second = await replica({
      journalAs: (real) => ({
        ...real,
        lastOf: async (line) => (line === 'one' && isForgotten ? 0 : real.lastOf(line)),
        async append(line, body, name, after, halt) {
          if (line !== 'one' || !isForgotten) return real.append(line, body, name, after, halt)
          if (after !== 0) return 'outrun'
          isForgotten = false
          return real.append(line, body, name, await real.lastOf(line), halt)
        },
      }),
    })
    await first.store.keep({ link: 'one', calls: call('answered') }).written
    await first.handOver(Date.now())
    await has(second, ...LINKS)
    expect(second.store.call('c')).toEqual(view('answered'))
    await second.store.keep({ link: 'one', calls: call('ended') }).written
  })

  test.each([0, 40])(
    'a journal that was lost and made anew, with %i entries by others, is written and followed again',
    async (others) => {
      const first = await replica()
      await has(first, ...LINKS)
      const second = await replica()
      await first.store.keep({ link: 'one', calls: call('ringing') }).written
      await first.store.keep({ link: 'two', devices: inUse('d') }).written
      await until(() => second.store.deviceState('two', 'd') !== undefined)
      const connection = await connect({ servers: nats.url })
      const { streams } = await jetstreamManager(connection)
      const { config } = await streams.info('patchbay-g-journal')
      await streams.delete('patchbay-g-journal')
      await streams.add(config)
      for (let entry = 0; entry < others; entry++) connection.publish('patchbay.journal.g.elsewhere', 'x')
      await connection.flush()
      await connection.close()
      const lost = first.store.keep({ link: 'one', calls: call('answered') }).written
      await expect(lost).rejects.toMatchObject({ code: 'state.outrun' })
      await until(() => LINKS.every((link) => first.holds(link) || second.holds(link)))
      const [holder, other] = first.holds('one') ? [first, second] : [second, first]
      await holder.store.keep({ link: 'one', calls: call('answered') }).written
      await until(() => other.store.call('c')?.channel.state === 'answered')
      expect(other.store.call('c')).toEqual(view('answered'))
    },
  )

  test('a line that says nothing for long keeps nobody reading from its old end on', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const third = await openStore(nats.url)
    const before = await third.journal.lastOf('one')
    for (let number = 1; number <= 1500; number++)
      await first.store.keep({ link: 'two', taken: { number, key: `k${number}`, id: `i${number}` } }).written
    await until(async () => (await third.journal.lastOf('one')) > before)
    expect(await third.journal.lastOf('one')).toBeGreaterThan(before)
    await third.close()
  })

  test('what nobody had to say but that it was taken is forgotten in time, too', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const third = await openStore(nats.url)
    const before = await third.journal.first()
    for (let number = 1; number <= 12; number++) {
      await first.store.keep({ link: 'one', taken: { number, key: `k${number}`, id: `i${number}` } }).written
      await delay(1000)
    }
    await until(async () => (await third.journal.first()) > before)
    await third.close()
  }, 40_000)

  test('a replica that stood still does not write over what another wrote since', async () => {
    const { bucket, close } = await openStore(nats.url)
    const checkpoints = (isWriter: boolean) =>
      makeCheckpoints({
        bucket,
        treesOf: () => undefined,
        keepMs: 60_000,
        isWriter: () => Promise.resolve(isWriter),
        now: Date.now,
      })
    const [paused, next] = [checkpoints(false), checkpoints(true)]
    const records = (state: 'INUSE' | 'NOT_INUSE') =>
      recordsOf('one', { number: 1, devices: new Map([['d', state as never]]) })
    await paused.write('one', records('NOT_INUSE'))
    await next.read(['one'])
    await next.write('one', records('INUSE'))
    await expect(paused.write('one', records('NOT_INUSE'))).rejects.toMatchObject({ code: 'state.outrun' })
    const known = (await next.read(['one'])).get('one')
    expect(known?.devices.get('d')).toBe('INUSE')
    await close()
  })

  test('a replica that gets a duty back soon writes what it keeps, though it wrote as often before', async () => {
    const proxy = await startFaultProxy(nats.port)
    const back = await replica({ url: proxy.through(nats.url) })
    await has(back, ...LINKS)
    for (const state of ['ringing', 'early', 'ringing', 'early'] as const)
      await back.store.keep({ link: 'one', calls: call(state) }).written
    proxy.faults.stalled = true
    const other = await replica()
    await has(other, ...LINKS)
    proxy.faults.stalled = false
    await until(() => back.dropped.includes('one') && back.dropped.includes('two'))
    await other.handOver(Date.now())
    await other.stop()
    await has(back, ...LINKS)
    await back.store.keep({ link: 'one', calls: call('answered') }).written
    const fresh = await replica()
    await until(() => fresh.store.call('c')?.channel.state === 'answered', 3000)
    expect(fresh.store.call('c')).toEqual(view('answered'))
    await proxy.close()
  })

  test('a store that stands still for a while, on connections that last, moves nothing either', async () => {
    const patient = { pingIntervalMs: 5000 }
    const proxy = await startFaultProxy(nats.port)
    const first = await replica({ ...patient, url: proxy.through(nats.url) })
    await has(first, ...LINKS)
    const second = await replica(patient)
    await delay(1000)
    process.kill(nats.pid!, 'SIGSTOP')
    proxy.faults.stalled = true
    await delay(2700)
    process.kill(nats.pid!, 'SIGCONT')
    await delay(700) // the other one writes before the holder can
    proxy.faults.stalled = false
    await delay(3000)
    expect([first.dropped, second.taken.size]).toEqual([[], 0])
    await proxy.close()
  })

  test('an outage of the store moves nothing: what was kept meanwhile is written when it is back', async () => {
    const first = await replica()
    await has(first, ...LINKS)
    const second = await replica()
    await nats.kill9()
    const kept = first.store.keep({ link: 'one', calls: call('ringing') })
    await delay(4000)
    await nats.restart()
    await kept.written
    await until(() => second.store.call('c') !== undefined)
    expect(second.store.call('c')).toEqual(view('ringing'))
    expect([first.dropped, second.taken.size]).toEqual([[], 0])
  })
})
