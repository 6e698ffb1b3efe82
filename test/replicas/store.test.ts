import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterEach, expect, test } from 'vitest'
import { makeSharedStore, type SharedStore, type SharedStoreConfig } from '../../src/transports/nats/index.js'
import type { LinkEvent } from '../../src/transports/transport.js'
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

interface TestStore extends SharedStore {
  readonly events: LinkEvent[]
}

const NEVER = new AbortController().signal

type Wishes = Partial<Omit<SharedStoreConfig, 'nats'>> & { readonly user?: string }

async function open(server: TestNats, { user, ...wishes }: Wishes = {}): Promise<TestStore> {
  const events: LinkEvent[] = []
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
    (event) => events.push(event),
  )
  return { ...store, events }
}

const USERS = `authorization { users: [
  { user: all, password: p },
  { user: reader, password: p, permissions: { publish: { deny: ["$KV.>"] } } },
  { user: silent, password: p, permissions: { publish: { deny: ["patchbay.journal.>"] } } }
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
  await expect(open(server, { user: 'silent' })).rejects.toMatchObject({
    code: 'state.store',
    message: expect.stringContaining('the stream "patchbay-g-journal" cannot be written'),
  })
})

test('a journal that takes no more is told of after a while, and goes on where it can', async () => {
  const server = await nats()
  const { journal, events } = await open(server)
  const admin = await connect({ servers: server.url })
  const manager = await jetstreamManager(admin)
  const first = Number(await journal.append('x', Buffer.from('1'), 'n1', 0, NEVER))
  await manager.streams.update('patchbay-g-journal', { max_msgs: 1 })
  const appended = journal.append('x', Buffer.from('2'), 'n2', first, NEVER)
  await expect
    .poll(() => events.findLast(({ kind }) => kind === 'down'), { timeout: 20_000 })
    .toMatchObject({
      error: { code: 'state.unavailable', message: expect.stringContaining('the journal takes no entry of "x"') },
    })
  await manager.streams.update('patchbay-g-journal', { max_msgs: -1 })
  expect(await appended).toBeGreaterThan(first)
  expect(events.at(-1)).toEqual({ kind: 'up' })
  await admin.close()
}, 40_000)

test('a bucket that takes nothing is told of within 5 s, and when it takes again', async () => {
  const server = await nats()
  const { bucket, events } = await open(server)
  const admin = await connect({ servers: server.url })
  const manager = await jetstreamManager(admin)
  const { config } = await manager.streams.info('KV_patchbay-g')
  await manager.streams.delete('KV_patchbay-g')
  const writing = setInterval(() => void bucket.put('x', '1').catch(() => undefined), 200)
  opened.push({ stop: async () => clearInterval(writing) })
  await expect
    .poll(() => events.at(-1), { timeout: 5000 })
    .toMatchObject({ kind: 'down', error: { message: expect.stringContaining('the bucket takes nothing') } })
  await manager.streams.add(config)
  await expect.poll(() => events.at(-1)).toEqual({ kind: 'up' })
  await admin.close()
}, 20_000)

test('a journal that cannot be followed is told of', async () => {
  const server = await nats()
  const { journal, events } = await open(server)
  const admin = await connect({ servers: server.url })
  await (await jetstreamManager(admin)).streams.delete('patchbay-g-journal')
  const follow = () =>
    journal.follow(
      1,
      () => undefined,
      () => undefined,
    )
  const following = setInterval(() => void follow().catch(() => undefined), 200)
  opened.push({ stop: async () => clearInterval(following) })
  await expect
    .poll(() => events.at(-1), { timeout: 8000 })
    .toMatchObject({ kind: 'down', error: { message: expect.stringContaining('the journal cannot be followed') } })
  await admin.close()
}, 20_000)

test('whoever follows hears that it ended by itself', async () => {
  const server = await nats()
  const { journal } = await open(server)
  let hasEnded = false
  await journal.follow(
    1,
    () => undefined,
    () => {
      hasEnded = true
    },
  )
  const admin = await connect({ servers: server.url })
  await (await jetstreamManager(admin)).streams.delete('patchbay-g-journal')
  await expect.poll(() => hasEnded, { timeout: 20_000 }).toBe(true)
  await admin.close()
}, 40_000)

test('an entry may be as large as the server takes', async () => {
  const { journal } = await open(await nats('max_payload: 65536'))
  expect(journal.maxBytes()).toBe(65_536 - 1024)
  await expect(journal.append('x', Buffer.alloc(journal.maxBytes()), 'n1', 0, NEVER)).resolves.toBeGreaterThan(0)
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
  const bytes = (text: string) => Buffer.from(text)
  const first = await journal.append('x', bytes('1'), 'n1', 0, NEVER)
  expect(await journal.append('x', bytes('other'), 'n2', 0, NEVER)).toBe('outrun')
  expect(await journal.append('x', bytes('1'), 'n1', 0, NEVER)).toBe(first)
  expect(await journal.append('y', bytes('2'), 'n3', 0, NEVER)).toBe(Number(first) + 1)
  const heard: string[] = []
  const stop = await journal.follow(
    1,
    ({ line, body }) => heard.push(`${line}${Buffer.from(body)}`),
    () => heard.push('ended'),
  )
  await journal.append('x', bytes('3'), 'n4', Number(first), NEVER)
  await expect.poll(() => heard).toEqual(['x1', 'y2', 'x3'])
  stop()
  await journal.forget('x', 1)
  expect(await journal.lastOf('x')).toBe(Number(first) + 2)
  await journal.forget('x', Number(first) + 1)
  expect(await journal.first()).toBe(Number(first) + 1)
  expect(await journal.lastOf('x')).toBe(Number(first) + 2)
  expect(await journal.lastOf('z')).toBe(0)
  const halt = AbortSignal.abort()
  await expect(journal.append('x', bytes('4'), 'n5', 0, halt)).resolves.toBe('outrun')
})
