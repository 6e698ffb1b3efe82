import { afterEach, expect, test } from 'vitest'
import { makeSharedStore, type SharedStore, type SharedStoreConfig } from '../../src/transports/nats/index.js'
import { startNats, type TestNats } from '../harness/index.js'

const opened: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.stop()
})

async function nats(extraConfig?: string, jetstream = true): Promise<TestNats> {
  const server = await startNats({ jetstream, ...(extraConfig !== undefined && { extraConfig }) })
  opened.push(server)
  return server
}

type Wishes = Partial<Omit<SharedStoreConfig, 'nats'>> & { readonly user?: string }

async function open(server: TestNats, { user, ...wishes }: Wishes = {}): Promise<SharedStore> {
  const store = makeSharedStore({
    nats: { servers: [server.url], ...(user !== undefined && { credentials: { username: user, password: 'p' } }) },
    group: 'g',
    copies: 1,
    keepMs: 3_600_000,
    declare: true,
    ...wishes,
  })
  opened.push({ stop: store.close })
  await store.open(
    () => undefined,
    () => undefined,
  )
  return store
}

const USERS = `authorization { users: [
  { user: all, password: p },
  { user: reader, password: p, permissions: { publish: { deny: ["$KV.>"] } } }
] }`

test('a store that is missing and not ours to make is told at once', async () => {
  await expect(open(await nats(), { declare: false })).rejects.toMatchObject({
    code: 'state.store',
    fate: 'reject',
    message: 'the shared state cannot be used: the bucket "patchbay-g" is missing, and making it is switched off',
  })
})

test('a store that can only be read is told at once', async () => {
  const server = await nats(USERS)
  await open(server, { user: 'all' })
  await expect(open(server, { user: 'reader' })).rejects.toMatchObject({
    code: 'state.store',
    message: expect.stringContaining('the bucket "patchbay-g" cannot be written'),
  })
})

test('a store with another number of copies, and one that a single server cannot copy, is told at once', async () => {
  const server = await nats()
  await expect(open(server, { copies: 3 })).rejects.toMatchObject({ code: 'state.store' })
  await open(server)
  await expect(open(server, { copies: 3 })).rejects.toMatchObject({
    message:
      'the shared state cannot be used: the bucket "patchbay-g" exists with 1 copies, and the configuration says 3',
  })
})

test('a bucket refuses what was written by somebody else since, and says what it is', async () => {
  const { bucket } = await open(await nats())
  const revision = await bucket.swap('a', 'one', 0)
  expect(await bucket.swap('a', 'two', 0)).toBeUndefined()
  expect(await bucket.swap('a', 'two', revision!)).toBeGreaterThan(revision!)
  expect(await bucket.remove('a', revision)).toBe(false)
  expect(await bucket.get('a')).toMatchObject({ key: 'a', text: 'two' })
  expect(await bucket.remove('a')).toBe(true)
  expect((await bucket.all()).map(({ key }) => key)).toEqual(['probe'])
})

test('a journal keeps each line in one order, knows its own entries again, and tells those that follow', async () => {
  const { journal } = await open(await nats())
  const never = new AbortController().signal
  const bytes = (text: string) => Buffer.from(text)
  const first = await journal.append('x', bytes('1'), 'n1', 0, never)
  expect(await journal.append('x', bytes('other'), 'n2', 0, never)).toBe('outrun')
  expect(await journal.append('x', bytes('1'), 'n1', 0, never)).toBe(first)
  expect(await journal.append('y', bytes('2'), 'n3', 0, never)).toBe(Number(first) + 1)
  const heard: string[] = []
  const stop = await journal.follow(1, ({ line, body }) => heard.push(`${line}${Buffer.from(body)}`))
  await journal.append('x', bytes('3'), 'n4', Number(first), never)
  await expect.poll(() => heard).toEqual(['x1', 'y2', 'x3'])
  stop()
  await journal.forget('x', Number(first) + 1)
  expect(await journal.bounds()).toEqual({ first: 2, last: 3 })
  const halt = AbortSignal.abort()
  await expect(journal.append('x', bytes('4'), 'n5', 0, halt)).resolves.toBe('outrun')
})
