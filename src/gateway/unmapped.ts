import type { Dialect } from '../mapping/dialect.js'
import type { DecodedMessage } from '../mapping/message.js'
import type { Extension } from '../model/index.js'
import { ownText } from './own-text.js'

/**
 * Tells of every field of a message that no rule knows, by its path on the wire without the places in lists. A message
 * without any costs next to nothing.
 */
export function eachUnmapped(dialect: Dialect, message: DecodedMessage, tell: (field: string) => void): void {
  tellOf(dialect, message, message.ext, tell)
  for (const fact of message.facts) tellOf(dialect, message, fact.ext?.[dialect.name], tell, true)
}

function tellOf(
  dialect: Dialect,
  { rule: name }: DecodedMessage,
  ext: Extension | undefined,
  tell: (field: string) => void,
  ofFact = false,
): void {
  const more = ext?.$more as Extension | undefined // maps by their paths, as the mapping engine leaves them
  if (more === undefined) return
  const { trees } = dialect.codec
  const rule = dialect.messages.find((each) => each.name === name)?.rule
  const root = [rule?.root, ofFact ? rule?.each : undefined]
  for (const path in more)
    for (const key of trees.keys(more[path]))
      tell(ownText([...root, path, String(key)].filter((part) => part !== undefined && part !== '').join('.')))
}
