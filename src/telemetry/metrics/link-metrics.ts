import type { Gauge } from 'prom-client'
import { ERROR_CODES, type ErrorCode } from '../../errors.js'
import type { BoundCounter, BoundHistogram, Instruments } from './instruments.js'

/**
 * Why a message was let go without a dead letter: a buffer was full, the gateway was stopping,
 * its dead letter could not be published either, or an answer to a request could not be sent.
 */
const DROP_REASONS = ['buffer-full', 'stopping', 'dead-letter-failed', 'reply-failed', 'late'] as const
/** One of {@link DROP_REASONS}. */
export type DropReason = (typeof DROP_REASONS)[number]

/** What is passed over on purpose; a `picture` is one of everything, on a link that takes a share of the messages. */
const IGNORED_KINDS = [
  'result',
  'node-request',
  'controller-request',
  'other-request',
  'unknown-event',
  'own',
  'picture',
] as const
/** One of {@link IGNORED_KINDS}. */
export type IgnoredKind = (typeof IGNORED_KINDS)[number]

/** What is counted of one link. Every function is cheap enough to call for each message. */
export interface LinkMetrics {
  taken(): void
  /** One of those taken is a copy. */
  duplicate(): void
  deadLetter(code: ErrorCode): void
  unroutable(): void
  loop(): void
  reconnect(): void
  dropped(reason: DropReason): void
  ignored(kind: IgnoredKind): void
  unknownWord(): void
  /** A field that no rule knows, by its path on the wire. */
  unmapped(field: string): void
  /** A request, by its method and the code that it was answered with; `method` is of a closed set. */
  command(method: string, code: number, milliseconds: number): void
  /** Messages taken and not settled yet. */
  inFlight(messages: number): void
  up(isUp: boolean): void
  /** Something may have been missed on a source that tells nothing twice. */
  gap(): void
  /** When our own certificate ends, or the one that the peer showed last; undefined where there is none. UTC milliseconds. */
  certificate(whose: 'ours' | 'peer', endsAt: number | undefined): void
  /** Whether this replica takes from the link; never told of one that nobody takes from. */
  holds(isHeld: boolean): void
  /** Commands, and whatever else waits for something to happen there; counted when somebody asks. */
  waits(count: () => number): void
  /** Messages handed over and not confirmed yet; counted when somebody asks. */
  outbox(count: () => number): void
  /** Calls that are up; counted when somebody asks. */
  calls(count: () => number): void
}

/** Fields of a link that are told apart; they are whatever its peers write. */
const MAX_FIELDS = 64
/** What may be the name of such a field: printable, and not long. */
const NAMEABLE = /^\P{C}{1,100}$/u
/** Label of all others. */
const OTHER = 'other'

/** Makes what is counted of a link, by its name. */
export function linkFactory(make: Instruments): (link: string) => LinkMetrics {
  const taken = make.counter('gateway_taken_messages_total')
  const duplicates = make.counter('gateway_duplicate_messages_total')
  const deadLetters = make.counter('gateway_dead_letter_messages_total')
  const unroutable = make.counter('gateway_unroutable_messages_total')
  const loops = make.counter('gateway_looped_messages_total')
  const reconnects = make.counter('gateway_link_reconnects_total')
  const dropped = make.counter('gateway_dropped_messages_total')
  const ignored = make.counter('gateway_ignored_messages_total')
  const unknownWords = make.counter('gateway_unknown_words_total')
  const unmapped = make.counter('gateway_unmapped_fields_total')
  const gaps = make.counter('gateway_gaps_total')
  const commands = make.counter('gateway_commands_total')
  const commandTimes = make.histogram('gateway_command_seconds')
  const flying = make.readGauge('gateway_in_flight_messages')
  const waits = make.readGauge('gateway_steering_waits')
  const outbox = make.readGauge('gateway_outbox_messages')
  const calls = make.readGauge('gateway_calls')
  const certificates = make.setGauge('gateway_certificate_expiry_seconds')
  const held = make.setGauge('gateway_lease_held')
  const up = make.setGauge('gateway_link_up')
  return (link) => {
    const state = up.labels(link)
    state.set(0)
    let inFlight = 0
    flying.bind(() => inFlight, link)
    return {
      taken: taken.bind(link),
      duplicate: duplicates.bind(link),
      deadLetter: deadLetters.bindEach(Object.keys(ERROR_CODES) as ErrorCode[], link), // keys of the table itself
      unroutable: unroutable.bind(link),
      loop: loops.bind(link),
      reconnect: reconnects.bind(link),
      dropped: dropped.bindEach(DROP_REASONS, link),
      ignored: ignored.bindEach(IGNORED_KINDS, link),
      unknownWord: unknownWords.bind(link),
      unmapped: unmappedFields(unmapped, link),
      command: commandsOf(commands, commandTimes, link),
      inFlight(messages) {
        inFlight = messages
      },
      up: (isUp) => state.set(isUp ? 1 : 0),
      gap: gaps.bind(link),
      certificate: earliestEnd(certificates, link),
      holds: (isHeld) => held.labels(link).set(isHeld ? 1 : 0),
      waits: (count) => waits.bind(count, link),
      outbox: (count) => outbox.bind(count, link),
      calls: (count) => calls.bind(count, link),
    }
  }
}

/** A link without certificates has no series. */
function earliestEnd(gauge: Gauge, link: string): LinkMetrics['certificate'] {
  const ends = new Map<string, number>()
  return (whose, endsAt) => {
    if (endsAt === undefined) ends.delete(whose)
    else ends.set(whose, endsAt / 1000)
    if (ends.size === 0) gauge.remove({ link })
    else gauge.set({ link }, Math.min(...ends.values()))
  }
}

function unmappedFields(counter: BoundCounter, link: string): LinkMetrics['unmapped'] {
  const other = counter.bind(link, OTHER)
  const known = new Map<string, () => void>()
  return (field) => {
    const count = known.get(field)
    if (count !== undefined) count()
    else if (known.size >= MAX_FIELDS || !NAMEABLE.test(field)) other()
    else {
      const first = counter.bind(link, field)
      known.set(field, first)
      first()
    }
  }
}

/** Most methods are never asked for, and none with all codes: their series begin when they are. */
function commandsOf(counter: BoundCounter, times: BoundHistogram, link: string): LinkMetrics['command'] {
  const known = new Map<
    string,
    { readonly time: (milliseconds: number) => void; readonly codes: Map<number, () => void> }
  >()
  return (method, code, milliseconds) => {
    const asked = known.get(method) ?? { time: times.bind(link, method), codes: new Map<number, () => void>() }
    known.set(method, asked)
    const count = asked.codes.get(code) ?? counter.bind(link, method, String(code))
    asked.codes.set(code, count)
    count()
    asked.time(milliseconds)
  }
}
