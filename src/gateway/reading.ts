import type { DecodedMessage } from '../mapping/message.js'
import type { Fact, Scope } from '../model/index.js'
import type { Frame } from '../transports/transport.js'
import { callKey } from './hub.js'
import { gather } from './parts.js'
import { qualifyIds } from './qualify.js'
import type { Rules, Ruleset } from './rules/index.js'
import type { StateStore } from './state.js'

/** A message taken apart. */
export interface ReadMessage {
  readonly facts: readonly Fact[]
  readonly full: Scope | undefined
  /** Something in it has no word. */
  readonly isUnknown: boolean | undefined
  /** The revision by which facts were read, where that is not the current one. */
  readonly revisionOf: ReadonlyMap<Fact, string>
}

/** What messages of one link are read with. */
export interface ReadingParts {
  readonly link: string
  readonly rules: Pick<Rules, 'current' | 'others' | 'ofCall'>
  readonly store: Pick<StateStore, 'call'>
  /** Node whose ids are made unlike those of all others; absent where they are so already. */
  readonly qualify: string | undefined
}

const NONE: ReadonlyMap<Fact, string> = new Map()

/**
 * Reads messages: what tells of a call by the rules that the call goes by, all else by the current ones.
 * Throws what the dialect throws for a message that it cannot take.
 */
export function messageReader({ link, rules, store, qualify }: ReadingParts): (frame: Frame) => ReadMessage {
  function readBy(ruleset: Ruleset, { address, body }: Frame): DecodedMessage {
    const message = ruleset.dialectOf(link).decode(address, body)
    const facts = gather(message.facts).facts
    if (qualify !== undefined) for (const fact of facts) qualifyIds(fact, qualify)
    return { ...message, facts }
  }

  function ownerOf(fact: Fact): Ruleset {
    const id = callOf(fact)
    if (id === undefined || !('node' in fact)) return rules.current()
    return rules.ofCall(store.call(callKey(link, fact.node, id)))
  }

  /** What the current rules cannot read may be about calls that go by others, and about nothing else. */
  function readByOther(frame: Frame): ReadMessage | undefined {
    for (const ruleset of rules.others()) {
      try {
        const { facts, full, isUnknown } = readBy(ruleset, frame)
        if (facts.length === 0 || facts.some((fact) => ownerOf(fact) !== ruleset)) continue
        return { facts, full, isUnknown, revisionOf: new Map(facts.map((fact) => [fact, ruleset.revision])) }
      } catch {
        // Not by these, either.
      }
    }
    return undefined
  }

  /** Each fact as the rules of its call read it. Facts of one call stay in their order. */
  function readByOwners(frame: Frame, { facts, full, isUnknown }: DecodedMessage): ReadMessage {
    const owners = new Set(facts.map(ownerOf))
    owners.delete(rules.current())
    if (owners.size === 0) return { facts, full, isUnknown, revisionOf: NONE }
    const revisionOf = new Map<Fact, string>()
    let own = [...facts]
    for (const owner of owners) {
      const read = readOrNothing(owner, frame)
      if (read === undefined) continue
      const theirs = read.filter((fact) => ownerOf(fact) === owner)
      for (const fact of theirs) revisionOf.set(fact, owner.revision)
      if (read.length === facts.length) own = own.map((fact, at) => (ownerOf(fact) === owner ? read[at]! : fact))
      else own = [...own.filter((fact) => ownerOf(fact) !== owner), ...theirs]
    }
    return { facts: own, full, isUnknown, revisionOf }
  }

  function readOrNothing(owner: Ruleset, frame: Frame): readonly Fact[] | undefined {
    try {
      return readBy(owner, frame).facts
    } catch {
      return undefined // the current rules can read it, so it is not lost
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
    if (rules.others().length > 0) return readByOwners(frame, message)
    return { facts: message.facts, full: message.full, isUnknown: message.isUnknown, revisionOf: NONE }
  }
}

/** Id of the channel that a fact is about. */
function callOf(fact: Fact): string | undefined {
  switch (fact.kind) {
    case 'channel':
    case 'cdr':
      return fact.id
    case 'dtmf':
    case 'playback':
    case 'recording':
    case 'speech':
      return fact.channel
    default:
      return undefined
  }
}
