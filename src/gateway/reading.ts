import type { DecodedMessage } from '../mapping/message.js'
import type { Fact, Scope } from '../model/index.js'
import type { Frame } from '../transports/transport.js'
import { callKeyOf } from './hub.js'
import { gather } from './parts.js'
import { qualifyIds } from './qualify.js'
import type { Rules, Ruleset } from './rules/index.js'
import type { CallView, StateStore } from './state.js'
import { eachUnmapped } from './unmapped.js'

/** A message taken apart. */
export interface ReadMessage {
  readonly facts: readonly Fact[]
  readonly full: Scope | undefined
  /** The rule that read it: its name in the dialect of the link. */
  readonly rule: string
  /** Something in it has no word. */
  readonly isUnknown: boolean | undefined
  /** The revision by which facts were read, where that is not the current one. */
  readonly revisionOf: ReadonlyMap<Fact, string>
  /** Revisions by which it is not that full picture: it tells nothing of calls that go by them and are not in it. */
  readonly blind: ReadonlySet<string>
}

/** What messages of one link are read with. */
export interface ReadingParts {
  readonly link: string
  readonly rules: Pick<Rules, 'current' | 'others' | 'ofCall'>
  readonly store: Pick<StateStore, 'call'>
  /** Node whose ids are made unlike those of all others; absent where they are so already. */
  readonly qualify: string | undefined
  /** Told of each field that no rule knows, by its path on the wire. */
  readonly unmapped: (field: string) => void
}

const NONE: ReadonlyMap<Fact, string> = new Map()
const NOBODY: ReadonlySet<string> = new Set()

/**
 * Reads messages: what tells of a call by the rules that the call goes by, all else by the current ones.
 * Throws what the dialect throws for a message that it cannot take.
 */
export function messageReader({ link, rules, store, qualify, unmapped }: ReadingParts): (frame: Frame) => ReadMessage {
  function readBy(ruleset: Ruleset, { address, body }: Frame): DecodedMessage {
    const message = ruleset.dialectOf(link).decode(address, body)
    const facts = gather(message.facts).facts
    if (qualify !== undefined) for (const fact of facts) qualifyIds(fact, qualify)
    return { ...message, facts }
  }

  /** The call that a fact is about, where it is known. */
  function viewOf(fact: Fact): CallView | undefined {
    const key = callKeyOf(link, fact)
    return key === undefined ? undefined : store.call(key)
  }

  const ownerOf = (fact: Fact) => rules.ofCall(viewOf(fact))

  /** What the current rules cannot read may be about calls that go by others, and about nothing else. */
  function readByOther(frame: Frame): ReadMessage | undefined {
    for (const ruleset of rules.others()) {
      const read = readOrNothing(ruleset, frame)
      if (read === undefined || read.facts.length === 0) continue
      if (read.facts.some((fact) => ownerOf(fact) !== ruleset)) continue
      eachUnmapped(ruleset.dialectOf(link), read, unmapped)
      const { facts, full, rule, isUnknown } = read
      const revisionOf = new Map(facts.map((fact) => [fact, ruleset.revision]))
      return { facts, full, rule, isUnknown, revisionOf, blind: blindTo(full, new Map([[ruleset, read]])) }
    }
    return undefined
  }

  /**
   * Each fact as the rules of its call read it, whatever the current ones made of it: they may find another call in
   * it, or nothing of a call. Facts of one call stay in their order.
   */
  function readByOwners(frame: Frame, current: DecodedMessage): ReadMessage {
    const readings = new Map<Ruleset, DecodedMessage>([[rules.current(), current]])
    const revisionOf = new Map<Fact, string>()
    let own: readonly Fact[] = current.facts
    let isUnknown = current.isUnknown
    for (const owner of rules.others()) {
      const read = readOrNothing(owner, frame)
      if (read === undefined) continue // the current rules can read it, so it is not lost
      readings.set(owner, read)
      const theirs = read.facts.filter((fact) => ownerOf(fact) === owner)
      if (theirs.length === 0) continue
      for (const fact of theirs) revisionOf.set(fact, owner.revision)
      own = laidOver(own, read.facts, owner)
      if (own.every((fact) => revisionOf.has(fact))) isUnknown = read.isUnknown
    }
    const { full, rule } = current
    return { facts: own, full, rule, isUnknown, revisionOf, blind: blindTo(full, readings) }
  }

  /** Puts what an owner read of its calls in the place of what was read in them before. */
  function laidOver(own: readonly Fact[], read: readonly Fact[], owner: Ruleset): readonly Fact[] {
    const isTheirs = (fact: Fact) => ownerOf(fact) === owner
    const theirs = read.filter(isTheirs)
    const at = own.flatMap((fact, index) => (isTheirs(fact) ? [index] : []))
    if (at.length === theirs.length) return own.map((fact, index) => theirs[at.indexOf(index)] ?? fact)
    // Of what no known call is in, the owner knows better what it is about.
    const isAll = theirs.length === read.length
    const rest = own.filter((fact, index) => {
      if (isTheirs(fact)) return false
      const isItsOwn = isAll || (read.length === own.length && isTheirs(read[index]!))
      return !isItsOwn || viewOf(fact) !== undefined
    })
    return [...rest, ...theirs]
  }

  function blindTo(full: Scope | undefined, readings: ReadonlyMap<Ruleset, DecodedMessage>): ReadonlySet<string> {
    if (full === undefined) return NOBODY
    const all = [rules.current(), ...rules.others()]
    return new Set(all.filter((each) => readings.get(each)?.full !== full).map(({ revision }) => revision))
  }

  function readOrNothing(ruleset: Ruleset, frame: Frame): DecodedMessage | undefined {
    try {
      return readBy(ruleset, frame)
    } catch {
      return undefined
    }
  }

  return (frame) => {
    let message: DecodedMessage
    try {
      message = readBy(rules.current(), frame)
    } catch (error) {
      const read = readByOther(frame)
      if (read === undefined) throw error
      return read
    }
    eachUnmapped(rules.current().dialectOf(link), message, unmapped)
    if (rules.others().length > 0) return readByOwners(frame, message)
    const { facts, full, rule, isUnknown } = message
    return { facts, full, rule, isUnknown, revisionOf: NONE, blind: NOBODY }
  }
}
