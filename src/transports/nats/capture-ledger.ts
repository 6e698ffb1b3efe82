import type { JsMsg } from '@nats-io/jetstream'
import { errors } from '@nats-io/nats-core'
import type { Settlement } from '../transport.js'

/** A message that came for the first time, or again because it was given back. */
export interface Noted {
  readonly isAgain: boolean
  /** Settles it; harmless when done twice, or after the ledger was cleared. */
  settle(outcome: Settlement): void
}

/** Keeps what came from a stream until it is settled. */
export interface CaptureLedger {
  /** Notes what came; undefined for a copy of what is held or settled already. */
  note(message: JsMsg): Noted | undefined
  /** The sequence to go on from where nothing is known of what came before `next`. Clears the ledger. */
  clear(next: number): void
  /** The stream ends at this sequence: of what was beyond it nothing is left there. */
  cut(end: number): void
  /** The first sequence that is not settled: whoever goes on must begin there. */
  next(): number
  /** How many messages are handed out and not settled. */
  held(): number
  /** Resolves when none is. */
  settled(): Promise<void>
}

interface Entry {
  /** The newest copy: the server may know no other any more. */
  message: JsMsg
  /** `away`: given back to the server, which sends it again. */
  state: 'held' | 'done' | 'reject' | 'away'
}

/** Tells the server; on a connection that is closed for good nobody can be told, and the message comes again. */
function tell(message: JsMsg, outcome: Settlement): void {
  try {
    if (outcome === 'done') message.ack()
    else if (outcome === 'reject') message.term()
    else message.nak()
  } catch (error) {
    if (!(error instanceof errors.ClosedConnectionError)) throw error
  }
}

/**
 * Acknowledges in the order of the stream: a message when all before it are settled. So what a consumer
 * owes never reaches further back than its `max_ack_pending`, and a successor that begins at the first
 * unsettled one repeats no more than that. What comes again meanwhile is recognised by its sequence, and
 * by its time, since a server that lost the end of its stream gives the same numbers anew.
 */
export function captureLedger(): CaptureLedger {
  /** In the order of the stream: new messages are always the last. */
  const entries = new Map<number, Entry>()
  const waiting: (() => void)[] = []
  let passed = 0
  let held = 0

  function pass(): void {
    for (const [sequence, { message, state }] of entries) {
      if (state === 'held' || state === 'away') return
      tell(message, state)
      entries.delete(sequence)
      passed = Math.max(passed, sequence)
    }
  }

  function remove(sequence: number, entry: Entry): void {
    entries.delete(sequence)
    if (entry.state === 'held') release()
  }

  function release(): void {
    held--
    if (held === 0) for (const resolve of waiting.splice(0)) resolve()
  }

  /** Every handing out has an entry of its own, so that settling an earlier one again does nothing. */
  function hold(message: JsMsg, isAgain: boolean): Noted {
    const entry: Entry = { message, state: 'held' }
    entries.set(message.seq, entry)
    held++
    return { isAgain, settle: (outcome) => settle(message.seq, entry, outcome) }
  }

  function settle(sequence: number, entry: Entry, outcome: Settlement): void {
    if (entry.state !== 'held' || entries.get(sequence) !== entry) return
    entry.state = outcome === 'retry' ? 'away' : outcome
    if (outcome === 'retry') tell(entry.message, outcome)
    pass()
    release()
  }

  return {
    note(message) {
      const sequence = message.seq
      if (sequence <= passed) {
        tell(message, 'done') // the server did not hear of it
        return undefined
      }
      const known = entries.get(sequence)
      const isCopy = known?.message.info.timestampNanos === message.info.timestampNanos
      if (known !== undefined && isCopy && known.state !== 'away') {
        known.message = message
        return undefined
      }
      if (known !== undefined && !isCopy) remove(sequence, known)
      return hold(message, isCopy)
    },
    clear(next) {
      for (const [sequence, entry] of entries) remove(sequence, entry)
      passed = next - 1
    },
    cut(end) {
      for (const [sequence, entry] of entries) if (sequence > end) remove(sequence, entry)
      passed = Math.min(passed, end)
    },
    next: () => passed + 1,
    held: () => held,
    settled: () => (held === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}
