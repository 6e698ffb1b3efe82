import { type Batch, gather } from '../../gateway/parts.js'
import type { Fact, Part } from '../../model/index.js'

/** Facts of one wire message, and the name of that message. */
export interface Gathered {
  readonly message: string
  readonly batch: Batch
  /** How many of its facts never came. */
  readonly missing: number
}

/** Messages that may be open at a time; the oldest is closed as it is when there are more. */
const MAX_OPEN = 10_000

/** Puts facts that travelled one by one together again, also when those of several messages come mixed. */
export interface Reassembly {
  /** Takes a fact with its place; answers what became ready by it. */
  take(fact: Fact, part: Required<Part>): Gathered[]
  /** Everything still open, oldest first. */
  finish(): Gathered[]
}

interface Open {
  readonly count: number
  readonly facts: Map<number, Fact>
}

/** An empty reassembly. Of a part that comes twice the first stays. */
export function reassembly(): Reassembly {
  const open = new Map<string, Open>()

  function close(message: string): Gathered {
    const { count, facts } = open.get(message)!
    open.delete(message)
    const inOrder = [...facts].sort(([a], [b]) => a - b).map(([, fact]) => fact)
    return { message, batch: gather(inOrder), missing: count - inOrder.length }
  }

  function oldest(): string | undefined {
    for (const message of open.keys()) return message
    return undefined
  }

  return {
    take(fact, { message, index, count }) {
      let entry = open.get(message)
      if (entry === undefined) {
        entry = { count, facts: new Map() }
        open.set(message, entry)
      }
      if (!entry.facts.has(index)) entry.facts.set(index, fact)
      const ready: Gathered[] = []
      if (entry.facts.size >= entry.count) ready.push(close(message))
      const first = open.size > MAX_OPEN ? oldest() : undefined
      if (first !== undefined) ready.push(close(first))
      return ready
    },
    finish: () => [...open.keys()].map(close),
  }
}
