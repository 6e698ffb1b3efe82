import { setTimeout as delay } from 'node:timers/promises'
import type { ChannelModel, ConfirmChannel } from 'amqplib'
import type { AmqpLinkConfig } from '../../config/index.js'
import { GatewayError } from '../../errors.js'
import { DEAD_LETTER_HEADERS } from '../../gateway/dead-letters.js'
import { replyCode, visitAmqp } from '../../transports/amqp/index.js'
import type { Letter } from './letter.js'
import { type HeldLetter, readQueue } from './queue-reader.js'
import { type LetterStore, type Pass, type Passed, type Picked, refused } from './store.js'

const NOT_FOUND = 404
/** A queue that one consumer has for itself lets nobody look. */
const LOCKED = 405
/** A queue has messages back a little after the channel that held them is closed. Milliseconds to wait for that. */
const RETURN_MS = 3000
const RETURN_POLL_MS = 20

/** Why a letter did not get through. */
type Outcome = GatewayError | undefined

/** Messages that are ready in a queue. On a channel of its own: a broker that knows no such queue closes the channel. */
async function readyIn(model: ChannelModel, queue: string, advice: string): Promise<number> {
  const channel = await model.createChannel()
  channel.on('error', () => undefined) // the pending call rejects with the same reason
  try {
    const { messageCount } = await channel.checkQueue(queue)
    await channel.close()
    return messageCount
  } catch (error) {
    if (replyCode(error) !== NOT_FOUND) throw refused(`cannot look into queue "${queue}"`, error)
    throw new GatewayError('link.refused', `there is no queue "${queue}"; ${advice}`, { cause: error })
  }
}

/** Whether there is nothing in a queue, by its own word. A message that is looked at goes back. */
async function isEmpty(model: ChannelModel, queue: string): Promise<boolean> {
  const channel = await model.createChannel()
  channel.on('error', () => undefined) // the pending call rejects with the same reason
  try {
    const message = await channel.get(queue)
    await channel.close()
    return message === false
  } catch (error) {
    if (replyCode(error) === LOCKED) return true
    throw refused(`cannot look into queue "${queue}"`, error)
  }
}

/** Publishes to queues by the default exchange, so that nobody else gets a copy. */
interface Resender {
  /** What became of each: undefined where the broker has it. */
  send(letters: readonly Picked[]): Promise<readonly Outcome[]>
}

/** The time a letter gets on its way back: its sender's, else that of its failure, which is closer than now. Seconds. */
function timestampOf({ sentAt, at }: Letter): { readonly timestamp?: number } {
  const moment = sentAt ?? Date.parse(at ?? '')
  return Number.isFinite(moment) ? { timestamp: Math.floor(moment / 1000) } : {}
}

async function makeResender(model: ChannelModel): Promise<Resender> {
  const channel: ConfirmChannel = await model.createConfirmChannel()
  /** Ids of letters that no queue took; the broker says so before it confirms them. */
  const returned = new Set<unknown>()
  const known = new Set<string>()
  let reason: Error | undefined
  channel.on('return', ({ properties }) => void returned.add(properties.messageId))
  channel.on('error', (error: Error) => {
    reason = error
  })

  async function ensureTarget(queue: string): Promise<void> {
    if (known.has(queue)) return
    await readyIn(model, queue, 'a gateway with this configuration makes it when it starts')
    known.add(queue)
  }

  function publish({ letter, fate }: Picked): Promise<Outcome> {
    if (typeof fate === 'string') return Promise.resolve(undefined)
    const { id: messageId, address, body } = letter
    // The default exchange takes the place of the address, by which the gateway tells messages apart.
    const headers = { ...letter.headers, [DEAD_LETTER_HEADERS.address]: JSON.stringify(address) }
    const options = { mandatory: true, persistent: true, headers, messageId, ...timestampOf(letter) }
    return new Promise((resolve) => {
      channel.publish('', fate.to, Buffer.from(body), options, (error: Error | null) => {
        const what = `queue "${fate.to}" did not take ${messageId}`
        if (error !== null) resolve(refused(what, reason ?? error))
        else if (returned.has(messageId)) resolve(refused(what, 'it is not there any more'))
        else resolve(undefined)
      })
    })
  }

  return {
    async send(letters) {
      for (const { fate } of letters) if (typeof fate === 'object') await ensureTarget(fate.to)
      return Promise.all(letters.map(publish))
    },
  }
}

/** The letters that are through, and why the first of the others is not. */
function split(letters: readonly HeldLetter[], outcomes: readonly Outcome[]) {
  const failure = outcomes.find((outcome) => outcome !== undefined)
  return { sent: letters.filter((_, at) => outcomes[at] === undefined), failure }
}

/**
 * The letters in a dead-letter queue. Reading takes them without acknowledging and gives them back by closing the
 * channel, after which they stand where they stood; to a quorum queue that is one delivery more.
 * @param note is told what the operator should know meanwhile
 * @throws GatewayError `link.connect`
 */
export async function openAmqpStore(
  name: string,
  link: AmqpLinkConfig,
  note: (text: string) => void,
): Promise<LetterStore> {
  const { queue } = link.deadLetter
  const visit = await visitAmqp({ ...link, name }, 'dlq', (event) => {
    if (event.kind === 'blocked') note(`the broker of ${name} takes nothing for now (${event.reason}); waiting`)
  })
  const { model } = visit
  const advice = 'a gateway makes it when it starts'
  let resender: Promise<Resender> | undefined

  async function work(pass: Pass, within: number): Promise<Passed> {
    const ready = await lettersIn()
    const there = Math.min(ready, within)
    const channel = await model.createChannel()
    const reader = await readQueue(channel, queue, pass, there)
    for (let letters = await reader.next(); letters.length > 0; letters = await reader.next()) {
      const picked = letters.map((each) => each.picked)
      const isSending = picked.some(({ fate }) => typeof fate === 'object')
      if (isSending) resender ??= makeResender(model)
      const outcomes = (await (await resender)?.send(picked)) ?? []
      const { sent, failure } = split(letters, outcomes)
      reader.settle(sent, failure === undefined)
      await pass.done(sent.map((each) => each.picked))
      if (failure !== undefined) throw failure
    }
    await reader.settled()
    await channel.close()
    await returned(ready - reader.removed())
    return { left: there - reader.removed(), end: reader.end() }
  }

  /** A quorum queue that is just coming up is told to be empty; asked itself, it answers once it is there, or fails. */
  async function lettersIn(): Promise<number> {
    const ready = await readyIn(model, queue, advice)
    if (ready > 0 || (await isEmpty(model, queue))) return ready
    await returned(1)
    return readyIn(model, queue, advice)
  }

  /** Waits until the queue has back what was held; somebody else may take it first. */
  async function returned(expected: number): Promise<void> {
    const end = Date.now() + RETURN_MS
    while ((await readyIn(model, queue, advice)) < expected && Date.now() < end) await delay(RETURN_POLL_MS)
  }

  return {
    async pass(pass, within = Number.POSITIVE_INFINITY) {
      try {
        return await Promise.race([work(pass, within), visit.lost])
      } catch (error) {
        throw refused(`cannot work on queue "${queue}"`, error)
      }
    },
    close: visit.close,
  }
}
