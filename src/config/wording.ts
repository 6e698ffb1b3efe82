import type { z } from 'zod'

const MAX_LISTED = 12
const MAX_QUOTED = 40
/** User and password in a URL, also in one that is not well-formed. */
const CREDENTIALS = /:\/\/.*@/s

/** `a`, `a or b`, `a, b or c`; long lists are cut. */
export function oneOf(words: readonly string[]): string {
  const shown = words.length > MAX_LISTED ? [...words.slice(0, MAX_LISTED), `${words.length - MAX_LISTED} more`] : words
  if (shown.length < 2) return shown.join('')
  return `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`
}

/** A value as a reader would call it: `the text "x"`, `the number 3`, `a list`. Secrets are named by kind only, and those of a URL left out. */
export function nameOf(value: unknown, isSecret: boolean): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  const kind = typeof value === 'string' ? 'text' : typeof value
  if (isSecret) return `a ${kind}`
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') return `the ${kind} ${String(value)}`
  const shown = value.replace(CREDENTIALS, '://***@')
  return `the text ${JSON.stringify(shown.length > MAX_QUOTED ? `${shown.slice(0, MAX_QUOTED)}…` : shown)}`
}

/** What a value must be to meet one of the schemas: `a whole number 1–65535`, `text or a mapping with \`env\``. */
export function wanted(schemas: readonly z.core.$ZodTypes[]): string {
  return oneOf([...new Set(schemas.map(wantedOne))])
}

function wantedOne(schema: z.core.$ZodTypes): string {
  const def = schema._zod.def
  switch (def.type) {
    case 'string':
      return `text${boundsOf(def).low === undefined ? '' : ' that is not empty'}`
    case 'number':
      return numberRange(boundsOf(def), 'format' in def && String(def.format).includes('int'))
    case 'boolean':
      return 'true or false'
    case 'array':
    case 'tuple':
      return `a list${boundsOf(def).low === undefined ? '' : ' that is not empty'}`
    case 'record':
      return 'a mapping'
    case 'object': {
      const required = Object.entries(def.shape).filter(([, field]) => field._zod.optin === undefined)
      return required.length === 0 ? 'a mapping' : `a mapping with ${required.map(([key]) => `\`${key}\``).join(', ')}`
    }
    case 'enum':
      return oneOf(Object.values(def.entries).map(String))
    case 'literal':
      return oneOf(def.values.map(String))
    case 'null':
      return 'nothing'
    default:
      return 'a value'
  }
}

interface Bounds {
  readonly low?: number
  readonly high?: number
}

/** The bounds that the checks of a schema set, each end included; an open lower end counts as closed at the next whole number. */
function boundsOf(def: z.core.$ZodTypeDef): Bounds {
  let low: number | undefined
  let high: number | undefined
  for (const check of def.checks ?? []) {
    const known = (check as z.core.$ZodChecks)._zod.def // zod's own union of all its checks
    if (known.check === 'greater_than') low = Number(known.value) + (known.inclusive ? 0 : 1)
    else if (known.check === 'less_than') high = Number(known.value) - (known.inclusive ? 0 : 1)
    else if (known.check === 'min_length') low = known.minimum
  }
  return { ...(low !== undefined && { low }), ...(high !== undefined && { high }) }
}

function numberRange({ low, high }: Bounds, isWhole: boolean): string {
  const kind = isWhole ? 'a whole number' : 'a number'
  if (low !== undefined && high !== undefined) return `${kind} ${low}–${high}`
  if (low !== undefined) return `${kind} of at least ${low}`
  return high === undefined ? kind : `${kind} of at most ${high}`
}
