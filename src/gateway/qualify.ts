import type { Fact, FactKind } from '../model/index.js'
import { FACT_ACCESS } from '../model/index.js'

/** Fields that hold ids of channels or bridges, by kind. The rest of the model names none. */
const IDS: Partial<Record<FactKind, readonly string[]>> = {
  channel: ['id', 'peers', 'bridge.id', 'bridge.members'],
  cdr: ['id', 'peers', 'bridge.id', 'bridge.members'],
  bridge: ['id', 'members'],
  transfer: ['by', 'who'],
  dtmf: ['channel'],
  playback: ['channel'],
  recording: ['channel'],
  speech: ['channel'],
  conference: ['channel'],
  custom: ['channel'],
}

/** Between a node and an id of its own. Asterisk makes no id with one. */
const MARK = '~'

/**
 * Makes the ids of a fact unlike those of every other node: `<node>~<id>`. For switches that number
 * their channels alike. Ids that already are so stay as they are.
 */
export function qualifyIds(fact: Fact, node: string): void {
  const prefix = `${node}${MARK}`
  const own = (id: unknown) => (typeof id === 'string' && !id.startsWith(prefix) ? prefix + id : id)
  for (const path of IDS[fact.kind] ?? []) {
    const field = FACT_ACCESS[fact.kind].fields[path]!
    const draft = fact as never // read and set by path
    const value = field.get(draft)
    if (value !== undefined) field.set(draft, Array.isArray(value) ? value.map(own) : own(value))
  }
}
