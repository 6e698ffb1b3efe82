import { refusal } from '../reply.js'
import type { SourceKind } from '../subscriptions.js'

/** An event source such as `channel:ID`; an empty id means all of the kind. */
export interface Source {
  readonly kind: SourceKind
  readonly id: string
}

const KINDS: readonly string[] = ['channel', 'bridge', 'endpoint', 'deviceState'] satisfies SourceKind[]

/** What a request with any other gets. */
export const badScheme = refusal(400, 'Invalid event source URI scheme')

/** Undefined when one of them is of no kind that we know. */
export function parseSources(uris: readonly string[]): Source[] | undefined {
  const found: Source[] = []
  for (const uri of uris) {
    const [kind = ''] = uri.split(':', 1)
    if (kind === uri || !KINDS.includes(kind)) return undefined
    found.push({ kind: kind as SourceKind, id: uri.slice(kind.length + 1) }) // it is one of them
  }
  return found
}
