/** What a link has to know of every event. */
export interface EventHead {
  readonly type?: string
  readonly timestamp?: string
  readonly application?: string
}

type HeadKey = keyof EventHead

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
/** By their lengths, which are all different. */
const KEYS = new Map<number, HeadKey>([
  ['type'.length, 'type'],
  ['timestamp'.length, 'timestamp'],
  ['application'.length, 'application'],
])

/**
 * Reads the top-level texts `type`, `timestamp` and `application` without parsing the event, which the codec
 * does anyway. The order of keys varies, and objects within may have keys of these names. Empty for
 * what is no JSON object; beyond that the form is not checked.
 */
export function eventHead(body: Buffer): EventHead {
  const head: { [K in HeadKey]?: string } = {}
  let depth = 0
  let isKey = true
  let key: HeadKey | undefined
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!
    if (byte === QUOTE) {
      const end = endOfText(body, at + 1)
      if (depth === 1 && isKey) {
        key = KEYS.get(end - at - 1)
        if (key !== undefined && body.toString('latin1', at + 1, end) !== key) key = undefined
        // None of the values has escapes; one that does is not ours to understand.
      } else if (depth === 1 && key !== undefined) head[key] = body.toString('utf8', at + 1, end)
      at = end
    } else if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x7d || byte === 0x5d) depth--
    else if (depth !== 1) continue
    else if (byte === COLON) isKey = false
    else if (byte === COMMA) isKey = true
  }
  return head
}

function endOfText(body: Buffer, from: number): number {
  let at = from
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1
  return at
}
