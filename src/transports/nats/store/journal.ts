import { setTimeout as delay } from 'node:timers/promises'
import { DeliverPolicy, type JetStreamClient, type JetStreamManager, type JsMsg } from '@nats-io/jetstream'
import { backoffMs } from '../../backoff.js'
import { reasonOf } from '../errors.js'
import { isOutrun, unavailable } from './faults.js'
import { lastingTrouble, TROUBLE_MS } from './lasting-trouble.js'

/** What was appended to one line of the journal. */
export interface JournalEntry {
  readonly line: string
  /** Its place in the journal. */
  readonly place: number
  readonly body: Uint8Array
}

/** Lines that replicas append to, each in an order that nobody can break, and that all of them follow. */
export interface Journal {
  /** Bytes that an entry may have. */
  maxBytes(): number
  /**
   * Appends to a line, if the last entry of that line stands at `after` (0: there is none). Tries until the store has
   * it, also over an outage; `name` tells a try that was stored without our hearing of it. Answers its place, or
   * `outrun` where somebody else appended first.
   * @throws GatewayError `state.unavailable` when `halt` is aborted first
   */
  append(line: string, body: Uint8Array, name: string, after: number, halt: AbortSignal): Promise<number | 'outrun'>
  /**
   * Tells every entry from a place on, in order, and those that come later. Answers what ends it; where it ends by
   * itself, `ended` is called: entries after that are not told.
   */
  follow(from: number, tell: (entry: JournalEntry) => void, ended: () => void): Promise<() => void>
  /** Place of the last entry of a line; 0 where there is none. */
  lastOf(line: string): Promise<number>
  /** Place of the last entry of all lines; 0 where there is none. */
  end(): Promise<number>
  /** Place of the first entry of all lines. */
  first(): Promise<number>
  /** When it was made: one that was lost and made anew has another time, and begins its places anew. */
  madeAt(): Promise<string>
  /** Forgets what stands before a place of a line. Its last entry must stay, or the order is lost. */
  forget(line: string, before: number): Promise<void>
}

/** The stream of a journal while a connection stands. */
export interface JournalStream {
  readonly client: JetStreamClient
  readonly manager: JetStreamManager
  /** Bytes that the server takes in one message. */
  readonly maxPayload: number
}

const APPEND_TIMEOUT_MS = 2000
const PAUSES = { minDelayMs: 20, maxDelayMs: 500 }
/** Headers of an entry have to fit in, too. Bytes. */
const ROOM_FOR_HEADERS = 1024
/** A server takes messages of 1 MiB unless it was told otherwise. */
const USUAL_PAYLOAD = 1_048_576

/** What the client library tells of a consumer that is gone, or silent. */
const ENDS: ReadonlySet<string> = new Set(['heartbeats_missed', 'consumer_deleted', 'ordered_consumer_recreated'])

/** Subject of one line of a group's journal. */
export function journalSubject(group: string, line: string): string {
  return `patchbay.journal.${group}.${line}`
}

/**
 * @param current the stream while a connection stands
 * @param troubled is told once of what does not succeed for long although a connection stands (each append, following),
 *   with the reason, and once it did or was given up, with none
 */
export function makeJournal(
  stream: string,
  group: string,
  current: () => JournalStream | undefined,
  troubled: (what: string, reason: string | undefined) => void,
): Journal {
  const following = lastingTrouble(
    () => current() !== undefined,
    (reason) => troubled('the journal cannot be followed', reason),
  )
  let maxPayload = USUAL_PAYLOAD
  const there = (): JournalStream => {
    const found = current()
    if (found === undefined) throw unavailable('the connection is down')
    maxPayload = found.maxPayload
    return found
  }
  const asked = async <T>(what: string, ask: (on: JournalStream) => Promise<T>): Promise<T> => {
    try {
      return await ask(there())
    } catch (error) {
      throw unavailable(what, error)
    }
  }

  /** Where our own entry stands, if the last one of the line is that. */
  async function placeOf(name: string, line: string): Promise<number | undefined> {
    const { manager } = there()
    const last = await manager.streams.getMessage(stream, { last_by_subj: journalSubject(group, line) })
    return last !== null && last.header.get('Nats-Msg-Id') === name ? last.seq : undefined
  }

  async function tryAppend(line: string, body: Uint8Array, name: string, after: number): Promise<number | 'outrun'> {
    try {
      const { client } = there()
      const ack = await client.publish(journalSubject(group, line), body, {
        msgID: name,
        timeout: APPEND_TIMEOUT_MS,
        retries: 1,
        expect: { lastSubjectSequence: after },
      })
      return ack.seq
    } catch (error) {
      if (!isOutrun(error)) throw error
      return (await placeOf(name, line)) ?? 'outrun'
    }
  }

  return {
    maxBytes() {
      maxPayload = current()?.maxPayload ?? maxPayload
      return maxPayload - ROOM_FOR_HEADERS
    },
    async append(line, body, name, after, halt) {
      const begunAt = performance.now()
      const what = `the journal takes no entry of "${line}"`
      let isTold = false
      try {
        for (let attempt = 1; ; attempt++) {
          try {
            return await tryAppend(line, body, name, after)
          } catch (error) {
            if (halt.aborted) throw unavailable('appending to the journal', error)
            if (!isTold && current() !== undefined && performance.now() - begunAt > TROUBLE_MS) {
              isTold = true
              troubled(what, reasonOf(error))
            }
          }
          await delay(backoffMs(attempt, PAUSES), undefined, { signal: halt }).catch(() => undefined)
          if (halt.aborted) throw unavailable('appending to the journal')
        }
      } finally {
        if (isTold) troubled(what, undefined)
      }
    },
    follow: (from, tell, ended) =>
      following.watch(() =>
        asked('following the journal', async ({ client }) => {
          const consumer = await client.consumers.get(stream, {
            deliver_policy: DeliverPolicy.StartSequence,
            opt_start_seq: Math.max(1, from),
          })
          const messages = await consumer.consume({
            max_messages: 2000,
            idle_heartbeat: 1000,
            callback: ({ subject, seq, data }: JsMsg) =>
              tell({ line: subject.slice(subject.lastIndexOf('.') + 1), place: seq, body: data }),
          })
          let isWanted = true
          const end = () => {
            if (isWanted) ended()
            isWanted = false
          }
          void messages.closed().then(end)
          // The library looks for its consumer again, and after one such look that fails only every 30 s. One that it makes
          // anew it would also make on a stream that is another.
          const listening = (async () => {
            for await (const { type } of messages.status()) if (ENDS.has(type)) end()
          })()
          listening.catch(end)
          return () => {
            isWanted = false
            void messages.close()
          }
        }),
      ),
    lastOf: (line) =>
      asked('reading the end of a line', async ({ manager }) => {
        const last = await manager.streams.getMessage(stream, { last_by_subj: journalSubject(group, line) })
        return last?.seq ?? 0
      }),
    end: () =>
      asked('reading the end of the journal', async ({ manager }) => {
        const last = await manager.streams.getMessage(stream, { last_by_subj: journalSubject(group, '*') })
        return last?.seq ?? 0
      }),
    first: () =>
      asked('reading the state of the journal', async ({ manager }) => {
        const { state } = await manager.streams.info(stream)
        // One that was emptied goes on where it stood.
        return state.messages === 0 ? state.last_seq + 1 : state.first_seq
      }),
    madeAt: () =>
      asked('reading the state of the journal', async ({ manager }) => (await manager.streams.info(stream)).created),
    forget: (line, before) =>
      asked('forgetting a part of the journal', async ({ manager }) => {
        // A server takes "all before the first" for "all".
        if (before <= 1) return
        await manager.streams.purge(stream, { filter: journalSubject(group, line), seq: before })
      }),
  }
}
