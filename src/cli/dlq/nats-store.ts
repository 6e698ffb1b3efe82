import { setImmediate as turn } from 'node:timers/promises'
import {
  JetStreamApiError,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
  type StreamInfo,
} from '@nats-io/jetstream'
import { type MsgHdrs, headers as makeHeaders, millis } from '@nats-io/nats-core'
import { type NatsLinkConfig, subjectCovers } from '../../config/index.js'
import type { GatewayError } from '../../errors.js'
import { type NatsVisit, visitNats } from '../../transports/nats/index.js'
import { type Letter, readLetter } from './letter.js'
import { type LetterStore, type Pass, type Passed, type Picked, refused } from './store.js'

/** Letters handled together. */
const BATCH = 100
/** Milliseconds without a letter after which the rest is gone: somebody else takes letters away, too. */
const SILENCE_MS = 5000
const MESSAGE_ID = 'Nats-Msg-Id'
/** JetStream's own numbers for a message that is not there. */
const NO_MESSAGE = new Set([10037, 10043])

/** A letter that was picked, and its place in the stream. */
interface StoredLetter {
  readonly picked: Picked
  readonly seq: number
}

function textHeaders(given: MsgHdrs | undefined): Record<string, string> {
  return Object.fromEntries((given?.keys() ?? []).map((name) => [name, given?.values(name).join(', ') ?? '']))
}

function letterOf({ headers: given, data, time }: JsMsg, duplicateMs: number): Letter {
  const headers = textHeaders(given)
  const messageId = headers[MESSAGE_ID]
  const letter = readLetter({ headers, body: data, messageId })
  // Should it fail again, its letter would bear the same name, and a stream stores a name once within its window.
  return messageId === letter.id ? { ...letter, aloneUntil: time.getTime() + duplicateMs } : letter
}

/** The stream that takes a subject; undefined where none does, or the server has no streams. */
async function streamOf(manager: JetStreamManager, subject: string): Promise<string | undefined> {
  try {
    for await (const name of manager.streams.names(subject)) return name
  } catch {
    return undefined
  }
  return undefined
}

interface Parts {
  readonly link: NatsLinkConfig
  readonly visit: NatsVisit
  readonly manager: JetStreamManager
  readonly stream: string
  /** Takes the refusal that the server told of since it was last asked. */
  refusal(): GatewayError | undefined
}

/** Sends letters to the subjects they came by. Resolves when a stream has each, or, where none takes it, the server. */
async function resend(
  { link, visit: { connection }, refusal }: Parts,
  letters: readonly StoredLetter[],
): Promise<void> {
  const client = jetstream(connection, { timeout: link.ackTimeoutMs })
  for (const { picked, seq } of letters) {
    const { letter, fate } = picked
    if (typeof fate === 'string') continue
    const headers = makeHeaders()
    for (const [name, value] of Object.entries(letter.headers)) headers.append(name, value)
    const isStored = link.stream?.subjects.some((pattern) => subjectCovers(pattern, fate.to)) ?? false
    // Another name than its letter has: the stream would take it for a copy of that.
    if (isStored) await client.publish(fate.to, letter.body, { headers, msgID: `${letter.id}/replay-${seq}` })
    else connection.publish(fate.to, letter.body, { headers })
  }
  await connection.flush()
  await turn() // what the server forbids is told before the flush is answered, but read a little later
  const forbidden = refusal()
  if (forbidden !== undefined) throw forbidden
}

async function remove(manager: JetStreamManager, stream: string, seq: number): Promise<void> {
  try {
    await manager.streams.deleteMessage(stream, seq, false)
  } catch (error) {
    if (!(error instanceof JetStreamApiError && NO_MESSAGE.has(error.code))) throw error
  }
}

function countOf({ state }: StreamInfo, subject: string): number {
  return state.subjects?.[subject] ?? 0
}

function natsStore(parts: Parts): LetterStore {
  const { link, visit, manager, stream } = parts
  const { deadLetterSubject: subject } = link

  async function settle(letters: readonly StoredLetter[], pass: Pass): Promise<number> {
    if (letters.some(({ picked: { fate } }) => typeof fate === 'object')) await resend(parts, letters)
    const going = letters.filter(({ picked: { fate } }) => fate !== 'stays')
    await Promise.all(going.map(({ seq }) => remove(manager, stream, seq)))
    await pass.done(letters.map(({ picked }) => picked))
    return going.length
  }

  async function work(pass: Pass, within: number): Promise<Passed> {
    const info = await manager.streams.info(stream, { subjects_filter: subject })
    const there = Math.min(countOf(info, subject), within)
    const windowMs = millis(info.config.duplicate_window)
    let removed = 0
    let looked = 0
    let wanted = 0
    let batch: StoredLetter[] = []
    if (there === 0 || pass.most === 0) return { left: there, end: 'all' }
    const consumer = await manager.jetstream().consumers.get(stream, { filter_subjects: subject })
    const messages = await consumer.consume({ max_messages: BATCH })
    const silence = setTimeout(() => void messages.close(), SILENCE_MS)
    try {
      for await (const message of messages) {
        silence.refresh()
        const picked = pass.pick(letterOf(message, windowMs))
        if (picked !== undefined && ++wanted > 0) batch.push({ picked, seq: message.seq })
        const isLast = ++looked >= there || wanted >= pass.most || message.info.pending === 0
        if (batch.length >= BATCH) {
          removed += await settle(batch, pass)
          batch = []
          silence.refresh()
        }
        if (isLast) break
      }
    } finally {
      clearTimeout(silence)
    }
    removed += await settle(batch, pass)
    return { left: there - removed, end: 'all' }
  }

  return {
    async pass(pass, within = Number.POSITIVE_INFINITY) {
      try {
        return await Promise.race([work(pass, within), visit.lost])
      } catch (error) {
        throw refused(`cannot work on stream "${stream}"`, error)
      }
    },
    close: visit.close,
  }
}

/**
 * The letters of a NATS link in the stream that takes its dead-letter subject: the link's own, or one of the
 * operator's. Undefined where none does: then nobody keeps them.
 * @throws GatewayError `link.connect`
 */
export async function openNatsStore(name: string, link: NatsLinkConfig): Promise<LetterStore | undefined> {
  let forbidden: GatewayError | undefined
  const visit = await visitNats({ ...link, name }, (event) => {
    if (event.kind === 'fault') forbidden = event.error
  })
  try {
    const manager = await Promise.race([jetstreamManager(visit.connection, { checkAPI: false }), visit.lost])
    const own = link.stream?.subjects.some((pattern) => subjectCovers(pattern, link.deadLetterSubject))
    const stream = own ? link.stream?.name : await streamOf(manager, link.deadLetterSubject)
    if (stream !== undefined) {
      const refusal = () => {
        const told = forbidden
        forbidden = undefined
        return told
      }
      return natsStore({ link, visit, manager, stream, refusal })
    }
  } catch (error) {
    await visit.close()
    throw refused(`cannot look for the stream of ${name}`, error)
  }
  await visit.close()
  return undefined
}
