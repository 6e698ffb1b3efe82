import { hash, randomBytes } from 'node:crypto'
import type { GatewayError } from '../errors.js'
import type { Delivery, Settlement } from '../transports/transport.js'
import { HEADERS } from './headers.js'
import { compareReturns, type Returns, type Verdict } from './returns.js'
import type { TakenMessage } from './state.js'

/** One message being worked on, from its arrival until every target confirmed it. */
export interface Job {
  /** Names the message: the publisher's own name for it, or one of ours, made at its arrival. */
  readonly id: string
  readonly delivery: Delivery
  /** Absent where the source never sends a message again. */
  readonly taken: TakenMessage | undefined
  /** Why what another replica made of it could not be told. Absent: nothing was made of it yet. */
  readonly refused?: GatewayError
  /** Settles the message with its source; a copy of it that came meanwhile is settled alike. */
  settle(outcome: Settlement): void
}

/** The messages of one link that are being worked on. */
export interface Jobs {
  /** Whether the source sends again what was not settled, or given back to it. */
  readonly comeAgain: boolean
  /**
   * Takes a delivery; `proceed` is called for each message that is new, in the order of arrival. That may be
   * a little later, while it is being found out whether the broker has sent it before. A copy is settled
   * with the message it repeats.
   */
  begin(delivery: Delivery, proceed: (job: Job) => void): void
  /**
   * Goes on with what another replica took, in the order of arrival, before anything is begun here. Answers each
   * that was surely not settled yet, by its number; acknowledgements of the rest may have been lost.
   * @param lastTaken number of the last that it took, which may be forgotten already
   */
  adopt(taken: readonly AdoptedMessage[], lastTaken: number): ReadonlyMap<number, Unsettled>
  /** Consuming was interrupted: what is unsettled comes again, and acknowledgements may have been lost. */
  broken(): void
  count(): number
}

/** A message that another replica took. */
export interface AdoptedMessage extends TakenMessage {
  /** Its place in the order of acknowledgements; undefined where it cannot have been acknowledged. */
  readonly said: number | undefined
}

/** A message that another replica took and did not settle. */
export interface Unsettled {
  /** Settles it when it comes again; does nothing once it was begun as refused. */
  settle(outcome: Settlement): void
  /** What was made of it cannot be told: when it comes again, it is proceeded with as a job that was refused, and then `begun` is called. */
  refuse(error: GatewayError, begun: () => void): void
}

/** What jobs are made with. */
export interface JobsParts {
  readonly group: string
  readonly link: string
  /** How many messages a source hands out unsettled that says of none which it is; absent for all others. */
  readonly window?: number | undefined
  /** Whether the source sends again what was not settled. Default: where there is a window. */
  readonly comeAgain?: boolean
  /** Told of each copy that is recognised. */
  readonly onCopy?: () => void
  readonly now?: () => number
}

interface Entry {
  readonly key: string
  copies: readonly Delivery[]
  /** Its place in the order of acknowledgements. */
  settled?: number
  settledAt?: number
  /** Its delivery died with the connection before it was settled. */
  owed: boolean
  /** Told of copies that wait, where another replica took it. */
  comesAgain?: (proceed: Held['proceed']) => void
}

interface Seen {
  readonly key: string
  readonly settled: number | undefined
  readonly entry: Entry
}

interface Held {
  readonly delivery: Delivery
  readonly key: string
  readonly proceed: (job: Job) => void
}

/** A killed broker may bring back every message whose acknowledgement it had not written down: a classic queue writes after some ten thousand. */
const REMEMBERED = 16_384
/** So many more are let pile up before the oldest go: each time all are looked at. */
const PRUNE_STEP = 2048
/** Acknowledgements older than this have been written down. Milliseconds. */
const DOUBT_MS = 60_000
/** A broker sends what it has to send again in one go. Milliseconds. */
const PATIENCE_MS = 500

/** Bytes of a name that leave room for what is put behind it: message ids of AMQP have 255. */
const MAX_NAME_BYTES = 160

const NO_COPIES: readonly Delivery[] = []

/** A publisher's name as every wire can carry it: a long or odd one by its hash, which is the same for all copies. */
function carried(name: string): string {
  const isSound =
    Buffer.byteLength(name) <= MAX_NAME_BYTES && !/[\u0000-\u001f\u007f]/.test(name) && name.isWellFormed()
  return isSound ? name : hash('sha256', name, 'base64url')
}

/**
 * Names messages and recognises copies. A broker sends again what it was not told to be settled: a copy
 * of a message still being worked on waits for it, and one of a message that every target has confirmed
 * is acknowledged again. Both are so for messages without names too, of which several may be byte-identical.
 */
export function makeJobs(parts: JobsParts): Jobs {
  const { group, link, window, onCopy, now = Date.now } = parts
  const { comeAgain = window !== undefined } = parts
  const session = randomBytes(6).toString('hex')
  let arrivals = 0
  /** Of the last message, counted over all replicas. */
  let number = 0
  let settlements = 0
  let open = 0
  /** In the order of arrival. */
  let taken: Entry[] = []
  let pruneAt = REMEMBERED + PRUNE_STEP
  /** Messages that the source numbers itself, by {@link numberedKey}, in the order of arrival. */
  const numbered = new Map<string, Entry>()
  let returns: Returns<Seen> | undefined
  let held: Held[] = []
  let timer: NodeJS.Timeout | undefined

  function nameOf({ frame, messageId, sourceSequence }: Delivery, hash: string): string {
    const given = frame.headers[HEADERS.id]
    if (given !== undefined && given !== '') return carried(given)
    if (messageId !== undefined && messageId !== '') return `${carried(messageId)}-${hash}`
    if (sourceSequence !== undefined) return `${group}-${link}-${sourceSequence.toString(36)}-${hash}`
    arrivals += 1
    return `${group}-${link}-${session}-${arrivals.toString(36)}-${hash}`
  }

  function remember(entry: Entry): void {
    taken.push(entry)
    if (taken.length < pruneAt) return
    const oldest = taken.length - REMEMBERED
    taken = taken.filter(({ settled }, at) => settled === undefined || at >= oldest)
    pruneAt = taken.length + PRUNE_STEP
  }

  /** Those that are still in the works stay, however old. */
  function rememberNumbered(entry: Entry): void {
    numbered.set(entry.key, entry)
    if (numbered.size <= REMEMBERED) return
    for (const [key, { settled }] of numbered) {
      if (settled === undefined) continue
      numbered.delete(key)
      return
    }
  }

  function start({ delivery, proceed }: Held, hash: string, key: string): void {
    const entry: Entry = { key, copies: [delivery], owed: false }
    if (delivery.sourceSequence !== undefined) rememberNumbered(entry)
    else if (window !== undefined) remember(entry)
    open += 1
    const id = nameOf(delivery, hash)
    const taken = comeAgain ? { number: ++number, key, id } : undefined
    proceed({ id, delivery, taken, settle: (outcome) => settle(entry, outcome) })
  }

  function settle(entry: Entry, outcome: Settlement): void {
    if (entry.settled !== undefined) return
    open -= 1
    const { copies } = entry
    entry.copies = NO_COPIES
    entry.settled = ++settlements
    entry.settledAt = now()
    // What goes back to its source comes again as if for the first time.
    if (outcome === 'retry') forget(entry)
    for (const copy of copies) copy.settle(outcome)
  }

  /** Another turn of ours may know the message anew. */
  function forget(entry: Entry): void {
    if (numbered.get(entry.key) === entry) numbered.delete(entry.key)
    else taken = taken.filter((each) => each !== entry)
  }

  /** Its own delivery was another replica's; only copies can be settled here. */
  function adopted(entry: Entry, taken: TakenMessage): Unsettled {
    let refused: GatewayError | undefined
    let onBegun: () => void = () => undefined
    let proceed: Held['proceed'] | undefined
    let isBegun = false

    function beginRefused(): void {
      const [delivery] = entry.copies
      if (refused === undefined || proceed === undefined || delivery === undefined || isBegun) return
      isBegun = true
      open += 1
      proceed({ id: taken.id, delivery, taken, refused, settle: (outcome) => settle(entry, outcome) })
      onBegun()
    }

    entry.comesAgain = (given) => {
      proceed = given
      beginRefused()
    }
    return {
      settle(outcome) {
        if (isBegun) return
        open += 1
        settle(entry, outcome)
      },
      refuse(error, begun) {
        refused = error
        onBegun = begun
        beginRefused()
      },
    }
  }

  function join(entry: Entry, { delivery, proceed }: Pick<Held, 'delivery' | 'proceed'>): void {
    onCopy?.()
    entry.owed = false
    if (entry.settled === undefined) {
      entry.copies = [...entry.copies, delivery]
      entry.comesAgain?.(proceed)
      return
    }
    entry.settled = ++settlements
    entry.settledAt = now()
    delivery.settle('done')
  }

  function apply(verdicts: readonly Verdict<Seen>[]): void {
    const decided = held.splice(0, verdicts.length)
    if (returns?.isOver()) returns = undefined
    for (const [index, each] of decided.entries()) {
      const verdict = verdicts[index]!
      if (verdict === 'new') start(each, hashOf(each.delivery), each.key)
      else join(verdict.entry, each)
    }
  }

  function wait(): void {
    clearTimeout(timer)
    if (held.length === 0) return
    timer = setTimeout(() => {
      if (returns !== undefined) apply(returns.decide())
    }, PATIENCE_MS)
  }

  return {
    comeAgain,
    begin(delivery, proceed) {
      const hash = hashOf(delivery)
      if (delivery.sourceSequence !== undefined) {
        const key = numberedKey(delivery.sourceSequence)
        const known = numbered.get(key)
        if (known === undefined) start({ delivery, key, proceed }, hash, key)
        else join(known, { delivery, proceed })
        return
      }
      const name = delivery.frame.headers[HEADERS.id] ?? delivery.messageId ?? ''
      const key = name === '' ? hash : `${name}/${hash}`
      const each: Held = { delivery, key, proceed }
      if (returns === undefined) return start(each, hash, key)
      held.push(each)
      apply(returns.next(key, delivery.redelivered))
      wait()
    },
    adopt(messages, lastTaken) {
      taken = []
      numbered.clear()
      number = Math.max(number, lastTaken, messages.at(-1)?.number ?? 0)
      const unsettled = new Map<number, Unsettled>()
      for (const { said, ...message } of messages) {
        const { key } = message
        const entry: Entry = { key, copies: NO_COPIES, owed: said === undefined }
        if (key.startsWith(NUMBERED)) numbered.set(key, entry)
        else taken.push(entry)
        if (said === undefined) unsettled.set(message.number, adopted(entry, message))
        else {
          entry.settled = settlements + said
          entry.settledAt = now()
        }
      }
      settlements += Math.max(0, ...messages.map(({ said }) => said ?? 0))
      return unsettled
    },
    broken() {
      held = []
      clearTimeout(timer)
      const since = now() - DOUBT_MS
      const seen: Seen[] = []
      for (const entry of taken) {
        if (entry.settled === undefined) entry.owed = true
        else if (entry.settledAt! < since) continue
        seen.push({ key: entry.key, settled: entry.owed ? undefined : entry.settled, entry })
      }
      returns = seen.length === 0 ? undefined : compareReturns(seen, window ?? 1)
    },
    count: () => open,
  }
}

/** Begins the keys of messages that their source numbers: no name of a message begins so. */
const NUMBERED = '\u0000'
const numberedKey = (sequence: number) => `${NUMBERED}${sequence.toString(36)}`

/** Tells bodies apart. */
function hashOf({ frame }: Delivery): string {
  return hash('sha1', frame.body, 'base64url').slice(0, 11)
}
