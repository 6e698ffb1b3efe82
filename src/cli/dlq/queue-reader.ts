import type { Channel, ConsumeMessage } from 'amqplib'
import { GatewayError } from '../../errors.js'
import { messageId, sentAt, toFrame } from '../../transports/amqp/index.js'
import { type Letter, readLetter } from './letter.js'
import type { Pass, Passed, Picked } from './store.js'

/** Most messages that AMQP lets a consumer hold unacknowledged. */
const MAX_HELD = 65_535
const CONSUMER = 'patchbay-dlq'
/** Letters handed on together. */
const BATCH = 500
/** Bytes of bodies that may wait to be handed on. */
const ROOM_BYTES = 32 * 1024 * 1024
/** Milliseconds without a message after which the queue is looked at, and how often that may find messages we do not get. */
const SILENCE_MS = 2000
const MOST_SILENCES = 3

/** A letter that was picked, and the message it is in. */
export interface HeldLetter {
  readonly picked: Picked
  readonly message: ConsumeMessage
  /** Whether every message before it is meant to be removed. */
  readonly isFirst: boolean
}

/** How often a queue is spoken to until all acknowledgements have surely reached it. */
const SYNCS = 3

/** Reads a queue from its head. What is not removed goes back to its place when the channel is closed. */
export interface QueueReader {
  /** The next letters of those that were picked, in order; none when the pass is over. */
  next(): Promise<readonly HeldLetter[]>
  /** Takes letters out of the queue for good, and makes room. @param all whether nothing stays of what `next` gave */
  settle(letters: readonly HeldLetter[], all: boolean): void
  /** Resolves once the queue knows what was taken out: of the last acknowledgements of a channel it may miss some. */
  settled(): Promise<void>
  /** How many were taken out. */
  removed(): number
  end(): Passed['end']
}

function letterOf(message: ConsumeMessage): Letter {
  const { headers, body } = toFrame(message)
  return readLetter({ headers, body, messageId: messageId(message), sentAt: sentAt(message) })
}

/**
 * Begins to read. Every message is looked at as it comes and only picked letters are kept in memory, so a queue may
 * be far larger than that.
 * @param there how many messages of the queue are looked at
 */
export async function readQueue(channel: Channel, queue: string, pass: Pass, there: number): Promise<QueueReader> {
  const window = pass.most <= 0 ? 0 : Math.min(there, MAX_HELD, pass.selective ? MAX_HELD : pass.most)
  const waiting: HeldLetter[] = []
  let looked = 0
  let wanted = 0
  let removed = 0
  let staying = 0
  let heldBytes = 0
  let isFull = false
  let isStarved = false
  let broken: GatewayError | undefined
  let wake = (): void => undefined

  const isThrough = () => looked >= there || wanted >= pass.most
  const isOver = () => isThrough() || isFull || isStarved || looked - removed >= window

  function look(message: ConsumeMessage): void {
    if (isThrough() || isFull) return
    const picked = pass.pick(letterOf(message))
    const bytes = picked?.letter.body.length ?? 0
    isFull = heldBytes > 0 && heldBytes + bytes > ROOM_BYTES
    if (isFull) return
    looked++
    if (picked === undefined || picked.fate === 'stays') staying++
    if (picked === undefined) return
    wanted++
    heldBytes += bytes
    waiting.push({ picked, message, isFirst: staying === 0 })
  }

  function interrupted(why: string): void {
    broken ??= new GatewayError('link.lost', `reading queue "${queue}" was interrupted: ${why}`, { fate: 'retry' })
    wake()
  }

  /** Resolves with false when nothing came for a while. */
  function more(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), SILENCE_MS)
      wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  async function wait(): Promise<void> {
    for (let silences = 1; !(await more()); silences++) {
      // What is not there any more was taken by somebody else; what is there and does not come is kept from us.
      const { messageCount } = await channel.checkQueue(queue)
      isStarved = messageCount === 0 || silences >= MOST_SILENCES
      if (isStarved) return
    }
  }

  channel.on('error', (error: Error) => interrupted(error.message))
  channel.on('close', () => interrupted('the channel was closed'))
  if (window > 0) {
    await channel.prefetch(window)
    const take = (message: ConsumeMessage | null) => {
      if (message === null) return interrupted('the broker cancelled the consumer; was the queue deleted?')
      look(message)
      wake()
    }
    await channel.consume(queue, take, { consumerTag: CONSUMER })
  }
  return {
    async next() {
      while (waiting.length === 0 && !isOver() && broken === undefined) await wait()
      if (broken !== undefined) throw broken
      return waiting.splice(0, BATCH)
    },
    settle(letters, all) {
      const run = all ? letters.filter(({ isFirst }) => isFirst) : []
      const last = run.at(-1)
      if (last !== undefined) channel.ack(last.message, true)
      for (const letter of letters) {
        const { picked, message } = letter
        heldBytes -= picked.letter.body.length
        if (picked.fate === 'stays') continue
        if (!(all && letter.isFirst)) channel.ack(message)
        removed++
      }
    },
    async settled() {
      // The client in the channel of a quorum queue keeps acknowledgements back while too many are on their way, and
      // forgets them when the channel closes. A consumer is made by the queue itself, after what it was sent before.
      // Such a one may be given what came meanwhile; made later, it also gives it back later.
      if (removed === 0) return
      await channel.prefetch(1)
      for (let at = 1; at <= SYNCS; at++) {
        await channel.consume(queue, () => undefined, { consumerTag: `${CONSUMER}-sync-${at}` })
      }
    },
    removed: () => removed,
    end() {
      if (isThrough()) return 'all'
      return isFull ? 'again' : 'blocked'
    },
  }
}
