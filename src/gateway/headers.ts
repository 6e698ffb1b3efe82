import type { Fact, Part } from '../model/index.js'

/** Headers that Patchbay writes on every hop, on AMQP and NATS alike. */
export const HEADERS = {
  /** Names the fact (or the message, where it tells several). */
  id: 'patchbay-id',
  /** Groups passed so far, oldest first, separated by commas. */
  path: 'patchbay-path',
  /** `message;index;count`: the place of the fact in the wire message it came in. */
  part: 'patchbay-part',
} as const

/** A message may pass this many groups; one more hop is cut as a loop. */
const MAX_HOPS = 4

type Headers = Readonly<Record<string, string>>

/** The groups a message has passed. */
export function pathOf(headers: Headers): string[] {
  const text = headers[HEADERS.path]
  return text === undefined || text === '' ? [] : text.split(',')
}

/** Whether a message must not be passed on by this group: it was here before, or took too many hops. */
export function isLoop(path: readonly string[], group: string): boolean {
  return path.includes(group) || path.length > MAX_HOPS
}

/** Undefined where there is no such header, or one that is not ours. */
export function partOf(headers: Headers): Required<Part> | undefined {
  const match = /^(.+);(\d{1,7});(\d{1,7})$/.exec(headers[HEADERS.part] ?? '')
  if (match === null) return undefined
  const part = { message: match[1]!, index: Number(match[2]), count: Number(match[3]) }
  return part.index < part.count ? part : undefined
}

/** The groups passed, as a header has them. */
export function wayOf(path: readonly string[]): string {
  return path.join(',')
}

/** Headers of a message that tells these facts. `path` gets this hop's group appended before. */
export function headersOf(facts: readonly Fact[], path: readonly string[]): Record<string, string> {
  return headersOnWay(facts, wayOf(path))
}

/** Like {@link headersOf}, for several messages that go the same way; empty: none. */
export function headersOnWay(facts: readonly Fact[], way: string): Record<string, string> {
  const headers: Record<string, string> = {}
  const meta = facts[0]?.meta
  if (meta?.id !== undefined) headers[HEADERS.id] = meta.id
  if (way !== '') headers[HEADERS.path] = way
  const part = facts.length === 1 ? meta?.part : undefined
  if (part?.message !== undefined) headers[HEADERS.part] = `${part.message};${part.index};${part.count}`
  return headers
}
