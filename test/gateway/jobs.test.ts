import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { type Job, makeJobs } from '../../src/gateway/jobs.js'
import type { Delivery, Settlement } from '../../src/transports/transport.js'

/** A link of jobs, and what was made of the deliveries given to it. */
function desk(window: number | undefined = 256) {
  let copies = 0
  const jobs = makeJobs({ group: 'g', link: 'l', window, onCopy: () => void copies++ })
  const begun: Job[] = []
  function deliver(text: string, more: { id?: string; header?: string; redelivered?: boolean } = {}) {
    const settled: Settlement[] = []
    const delivery: Delivery = {
      frame: {
        address: {},
        headers: more.header === undefined ? {} : { 'patchbay-id': more.header },
        body: Buffer.from(text),
      },
      receivedAt: 0,
      redelivered: more.redelivered ?? false,
      ...(more.id !== undefined && { messageId: more.id }),
      settle: (outcome) => void settled.push(outcome),
    }
    jobs.begin(delivery, (job) => void begun.push(job))
    return settled
  }
  return { jobs, begun, deliver, again: (text: string) => deliver(text, { redelivered: true }), copies: () => copies }
}

test('messages without a name get one each, byte-identical ones too', () => {
  const { begun, deliver, copies } = desk()
  for (const text of ['on', 'off', 'on']) deliver(text)
  expect(new Set(begun.map(({ id }) => id)).size).toBe(3)
  expect(copies()).toBe(0)
})

test("a publisher's own name is kept, and told from the same name on another body", () => {
  const { begun, deliver } = desk()
  deliver('a', { id: 'm1' })
  deliver('b', { id: 'm1' })
  deliver('c', { id: 'm1', header: 'known' })
  expect(begun[0]!.id).toMatch(/^m1-/)
  expect(begun[1]!.id).not.toBe(begun[0]!.id)
  expect(begun[2]!.id).toBe('known')
})

test('a name that not every wire can carry is replaced by one that can, the same for the same', () => {
  const { begun, deliver } = desk()
  const names = ['x'.repeat(60_000), 'x'.repeat(60_001), 'é'.repeat(100), 'a\r\nb', 'a\u0000b', '\ud800']
  for (const header of [...names, ...names]) deliver('a', { header })
  deliver('a', { id: names[0]! })
  const ids = begun.map(({ id }) => id)
  expect(new Set(ids.slice(0, names.length)).size).toBe(names.length)
  expect(ids.slice(names.length, -1)).toEqual(ids.slice(0, names.length))
  for (const id of ids) expect(id).toMatch(/^[\w-]{20,160}$/)
})

test('a copy of a message in the works waits for it and is settled with it', () => {
  const { jobs, begun, deliver, again, copies } = desk()
  const first = deliver('a')
  jobs.broken()
  const copy = again('a')
  expect(begun).toHaveLength(1)
  expect(copies()).toBe(1)
  expect(jobs.count()).toBe(1)
  begun[0]!.settle('done')
  expect([first, copy]).toEqual([['done'], ['done']])
  expect(jobs.count()).toBe(0)
})

test('a copy of a message that was finished while the link was down is acknowledged again', () => {
  const { jobs, begun, deliver, again, copies } = desk()
  deliver('a')
  jobs.broken()
  begun[0]!.settle('done')
  expect(again('a')).toEqual(['done'])
  expect(begun).toHaveLength(1)
  expect(copies()).toBe(1)
})

test('the link may break again before the copies have come', () => {
  const { jobs, begun, deliver, again } = desk()
  for (const text of ['a', 'b', 'c']) deliver(text)
  begun[0]!.settle('done')
  jobs.broken()
  begun[1]!.settle('done')
  jobs.broken()
  const [a, b] = [again('a'), again('b')]
  expect([a, b]).toEqual([[], []]) // c must follow before it is known that these are not others
  again('c')
  expect([a, b]).toEqual([['done'], ['done']])
  again('x')
  expect(begun).toHaveLength(4)
})

test('what cannot be told at once is decided when nothing more comes', async () => {
  const { jobs, begun, deliver, again } = desk()
  deliver('on')
  deliver('off')
  for (const job of begun) job.settle('done')
  jobs.broken()
  const third = again('on')
  expect(begun).toHaveLength(2)
  await delay(600)
  expect(begun).toHaveLength(3)
  begun[2]!.settle('done')
  expect(third).toEqual(['done'])
})

test('what was given back to its source comes again as a new message', () => {
  const { jobs, begun, deliver, again } = desk()
  deliver('a')
  begun[0]!.settle('retry')
  jobs.broken()
  again('a')
  expect(begun).toHaveLength(2)
})

test('where a source never sends anything twice nothing is taken for a copy', () => {
  const jobs = makeJobs({ group: 'g', link: 'l' })
  const begun: Job[] = []
  const delivery: Delivery = {
    frame: { address: {}, headers: {}, body: Buffer.from('a') },
    receivedAt: 0,
    redelivered: true,
    settle: () => undefined,
  }
  jobs.begin(delivery, (job) => void begun.push(job))
  jobs.broken()
  jobs.begin(delivery, (job) => void begun.push(job))
  expect(begun).toHaveLength(2)
})

test('a hundred thousand messages leave a bounded memory, and old ones in the works are still known', () => {
  const { jobs, begun, deliver, again } = desk()
  deliver('the first')
  for (let at = 0; at < 100_000; at++) {
    deliver(`m${at}`)
    begun.pop()!.settle('done')
  }
  jobs.broken()
  again('the first')
  again('m99999')
  expect(begun).toHaveLength(1)
})

const numberedDelivery = (sequence: number, settled: Settlement[], redelivered = false): Delivery => ({
  frame: { address: {}, headers: {}, body: Buffer.from('same') },
  receivedAt: 0,
  redelivered,
  sourceSequence: sequence,
  settle: (outcome) => void settled.push(outcome),
})

test('of a source that numbers its messages every copy is known by its number', () => {
  const jobs = makeJobs({ group: 'g', link: 'l', comeAgain: true })
  const begun: Job[] = []
  const settled: Settlement[] = []
  const deliver = (sequence: number) => jobs.begin(numberedDelivery(sequence, settled), (job) => void begun.push(job))
  for (const sequence of [1, 2, 1]) deliver(sequence)
  expect(begun.map(({ taken }) => taken?.number)).toEqual([1, 2])
  expect(new Set(begun.map(({ id }) => id)).size).toBe(2)
  begun[0]!.settle('done')
  expect(settled).toEqual(['done', 'done'])
  deliver(1)
  expect(settled).toEqual(['done', 'done', 'done'])
  begun[1]!.settle('retry')
  deliver(2)
  expect(begun).toHaveLength(3)
  expect(begun[2]!.id).toBe(begun[1]!.id)
})

/** A message `a` that another replica took, and its copies as they come to us. */
function adopted(sourceSequence: number | undefined) {
  const ours = makeJobs({ group: 'g', link: 'l', window: 256 })
  const theirs = makeJobs({ group: 'g', link: 'l', window: 256 })
  const begun: Job[] = []
  const settled: Settlement[] = []
  const delivery = (text: string, more: Partial<Delivery> = {}): Delivery => ({
    frame: { address: {}, headers: {}, body: Buffer.from(text) },
    receivedAt: 0,
    redelivered: false,
    settle: (outcome) => void settled.push(outcome),
    ...(sourceSequence !== undefined && { sourceSequence }),
    ...more,
  })
  theirs.begin(delivery('a'), (job) => void begun.push(job))
  const messages = ours.adopt([{ ...begun[0]!.taken!, said: undefined }], 7)
  const come = (text: string, more: Partial<Delivery> = {}) =>
    ours.begin(delivery(text, more), (job) => void begun.push(job))
  const again = () => {
    ours.broken()
    come('a', { redelivered: true })
  }
  return { message: messages.get(1)!, begun, settled, come, again }
}

const SOURCES = [
  ['known by what it says', undefined],
  ['numbered by the source', 7],
] as const

test.each(SOURCES)('a message that another replica took is no new one, %s', (_name, sourceSequence) => {
  const { message, begun, settled, come, again } = adopted(sourceSequence)
  again()
  expect(begun).toHaveLength(1)
  message.settle('done')
  expect(settled).toEqual(['done'])
  come('b', sourceSequence === undefined ? {} : { sourceSequence: 8 })
  expect(begun[1]?.taken?.number).toBe(8)
})

describe.each(SOURCES)(
  'a message that another replica took, and what it made of it is refused, %s',
  (_name, sequence) => {
    const error = new GatewayError('link.refused', 'nobody takes it')

    test.each(['before', 'after'])('is begun once, with the reason: it came again %s that', (order) => {
      const { message, begun, settled, again } = adopted(sequence)
      if (order === 'before') again()
      const onBegun = vi.fn(() => expect(begun).toHaveLength(2))
      message.refuse(error, onBegun)
      expect(onBegun).toHaveBeenCalledTimes(order === 'before' ? 1 : 0)
      if (order === 'after') again()
      message.settle('done')
      again()
      expect(onBegun).toHaveBeenCalledTimes(1)
      expect(settled).toEqual([])
      expect(begun).toHaveLength(2)
      expect(begun[1]).toMatchObject({ id: begun[0]!.id, taken: begun[0]!.taken, refused: error })
      begun[1]!.settle('done')
      expect(settled).toEqual(['done', 'done'])
      again()
      expect(settled).toEqual(['done', 'done', 'done'])
      expect(begun).toHaveLength(2)
    })

    test('is settled as any other when it was given up meanwhile', () => {
      const { message, begun, settled, again } = adopted(sequence)
      message.refuse(error, () => undefined)
      message.settle('done')
      again()
      expect(begun).toHaveLength(1)
      expect(settled).toEqual(['done'])
    })

    test('is a new one when it goes back to its source', () => {
      const { message, begun, settled, again } = adopted(sequence)
      message.refuse(error, () => undefined)
      again()
      begun[1]!.settle('retry')
      expect(settled).toEqual(['retry'])
      again()
      expect(begun).toHaveLength(3)
      expect(begun[2]!.refused).toBeUndefined()
    })
  },
)
