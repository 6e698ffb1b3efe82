import { HEADERS } from '../../gateway/headers.js'
import { offlineRules } from '../../gateway/rules-offline.js'
import { derivedId, type Translated, type TranslationOptions, type Translator } from './translator.js'

/** A translator between two dialects that also keeps the target's rules about sequences: what a gateway would send. */
export function ruledTranslator({ dialects, from, to, at, loopback }: TranslationOptions): Translator {
  const source = dialects.get(from)!
  const unsaid = new Map<string, number>()
  const rules = offlineRules(source, dialects.get(to)!, {
    loopback: loopback ?? false,
    unsaid: (kind) => unsaid.set(kind, (unsaid.get(kind) ?? 0) + 1),
  })
  let position = 0
  let empty = 0
  return {
    async take(line) {
      const id = line.headers[HEADERS.id] ?? derivedId(line, position)
      position += 1
      const body = 'json' in line.body ? Buffer.from(JSON.stringify(line.body.json)) : line.body
      const message = source.decode(line.address, body)
      if (message.facts.length === 0) empty += 1
      const frames = await rules.take(message, { id, ...(at !== undefined && { at, clock: 'receipt' as const }) })
      return frames.map((frame): Translated => ({ kind: 'frame', frame }))
    },
    finish: () => [],
    shortfalls: () => ({ unsaid, empty, incomplete: 0 }),
  }
}
