import { isObject, type JsonObject } from './json.js'

/** Which types of events an application wants. Names are not checked, as Asterisk does not. */
export interface EventFilter {
  lets(type: string): boolean
  allowed(): readonly Entry[]
  disallowed(): readonly Entry[]
  /** Takes the body of a PUT. False, and nothing changed, when it has not the form of a filter. */
  set(body: JsonObject): boolean
}

/** What else a client writes into an entry is not kept. */
interface Entry {
  readonly type: string
}

export function makeEventFilter(): EventFilter {
  let allowed: readonly Entry[] = []
  let disallowed: readonly Entry[] = []
  let allowedTypes = new Set<string>()
  let disallowedTypes = new Set<string>()

  return {
    lets: (type) => (allowedTypes.size === 0 || allowedTypes.has(type)) && !disallowedTypes.has(type),
    allowed: () => allowed,
    disallowed: () => disallowed,
    set(body) {
      const isNamed = Object.hasOwn(body, 'allowed') || Object.hasOwn(body, 'disallowed')
      const nextAllowed = isNamed ? entries(body, 'allowed', allowed) : []
      const nextDisallowed = isNamed ? entries(body, 'disallowed', disallowed) : []
      if (nextAllowed === undefined || nextDisallowed === undefined) return false
      allowed = nextAllowed
      disallowed = nextDisallowed
      allowedTypes = new Set(allowed.map(({ type }) => type))
      disallowedTypes = new Set(disallowed.map(({ type }) => type))
      return true
    },
  }
}

/** A list that is not named stays as it is; undefined for what is no list of `{type}`. */
function entries(body: JsonObject, key: string, present: readonly Entry[]): readonly Entry[] | undefined {
  if (!Object.hasOwn(body, key)) return present
  const value = body[key]
  return Array.isArray(value) && value.every(isEntry) ? value.map(({ type }) => ({ type })) : undefined
}

function isEntry(value: unknown): value is Entry {
  return isObject(value) && typeof value.type === 'string'
}
