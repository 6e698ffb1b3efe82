import { setTimeout as delay } from 'node:timers/promises'
import {
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream'
import { backoffMs } from '../../backoff.js'
import { unavailable } from './faults.js'

/** What was appended to one line of the journal. */
export interface JournalEntry {
  readonly line: string
  /** Its place in the journal. */
  readonly place: number
  readonly body: Uint8Array
}

/** Lines that replicas append to, each in an order that nobody can break, and that all of them follow. */
export interface Journal {
  /**
   * Appends to a line, if the last entry of that line stands at `after` (0: there is none). Tries until the store has
   * it, also over an outage; `name` tells a try that was stored without our hearing of it. Answers its place, or
   * `outrun` where somebody else appended first.
   * @throws GatewayError `state.unavailable` when `halt` is aborted first
   */
  append(line: string, body: Uint8Array, name: string, after: number, halt: AbortSignal): Promise<number | 'outrun'>
  /** Tells every entry from a place on, in order, and those that come later. Answers what ends it. */
  follow(from: number, tell: (entry: JournalEntry) => void): Promise<() => void>
  /** Places of the first and the last entry; an empty journal ends before it begins. */
  bounds(): Promise<{ readonly first: number; readonly last: number }>
  /** Forgets what stands before a place of a line. Its last entry must stay, or the order is lost. */
  forget(line: string, before: number): Promise<void>
}

/** The stream of a journal while a connection stands. */
export interface JournalStream {
  readonly client: JetStreamClient
  readonly manager: JetStreamManager
}

const APPEND_TIMEOUT_MS = 2000
const PAUSES = { minDelayMs: 20, maxDelayMs: 500 }

/** Subject of one line of a group's journal. */
function journalSubject(group: string, line: string): string {
  return `patchbay.journal.${group}.${line}`
}

function isWrongPlace(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence
}

/** @param current the stream while a connection stands */
export function makeJournal(stream: string, group: string, current: () => JournalStream | undefined): Journal {
  const there = (): JournalStream => {
    const found = current()
    if (found === undefined) throw unavailable('the connection is down')
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
      if (!isWrongPlace(error)) throw error
      return (await placeOf(name, line)) ?? 'outrun'
    }
  }

  return {
    async append(line, body, name, after, halt) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await tryAppend(line, body, name, after)
        } catch (error) {
          if (halt.aborted) throw unavailable('appending to the journal', error)
        }
        await delay(backoffMs(attempt, PAUSES), undefined, { signal: halt }).catch(() => undefined)
        if (halt.aborted) throw unavailable('appending to the journal')
      }
    },
    follow: (from, tell) =>
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
        return () => void messages.close()
      }),
    bounds: () =>
      asked('reading the state of the journal', async ({ manager }) => {
        const { state } = await manager.streams.info(stream)
        return { first: state.first_seq, last: state.last_seq }
      }),
    forget: (line, before) =>
      asked('forgetting a part of the journal', async ({ manager }) => {
        await manager.streams.purge(stream, { filter: journalSubject(group, line), seq: before })
      }),
  }
}
