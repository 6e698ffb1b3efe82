import type { MemberDescription } from '../codec.js'
import { isPlainObject } from '../json-value.js'
import { ENVELOPE, EVENTS, type Members, OBJECTS } from './events.js'

/** What a type stands for: one value, or a list of such; objects have members. */
interface Type {
  readonly name: string
  readonly list: boolean
  /** Undefined for a value that is no object of fixed members. */
  readonly members: Members | undefined
}

const LIST = '[]'

function typeOf(written: string): Type {
  const name = written.replace('?', '')
  const list = name.endsWith(LIST)
  const one = list ? name.slice(0, -LIST.length) : name
  return { name: one, list, members: OBJECTS[one] }
}

const WANTS: Readonly<Record<string, string>> = {
  text: 'a text',
  int: 'a whole number',
  bool: 'true or false',
  time: 'a time such as 2026-01-01T08:00:00.000+0000',
  object: 'an object',
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}$/

const ACCEPTS: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  int: (value) => Number.isSafeInteger(value),
  bool: (value) => typeof value === 'boolean',
  time: (value) => typeof value === 'string' && TIME.test(value),
}

function accepts(type: Type, value: unknown): boolean {
  if (!type.list) return acceptsOne(type, value)
  return Array.isArray(value) && value.every((each) => acceptsOne(type, each))
}

/** An object may have members that are not known: others add theirs. */
function acceptsOne({ name, members }: Type, value: unknown): boolean {
  const scalar = ACCEPTS[name]
  if (scalar !== undefined) return scalar(value)
  if (!isPlainObject(value)) return false
  return Object.entries(members ?? {}).every(([key, written]) => {
    const member = value[key]
    return member === undefined || accepts(typeOf(written), member)
  })
}

/**
 * What is wrong with an event by what is known of its type: members that are missing or of another type, as
 * paths. Nothing for a type that is not known.
 */
export function eventFaults(event: Readonly<Record<string, unknown>>): string[] {
  const type = String(event.type)
  return Object.hasOwn(EVENTS, type) ? faultsOf(event, { ...ENVELOPE, ...EVENTS[type] }, '') : []
}

function faultsOf(object: Readonly<Record<string, unknown>>, members: Members, path: string): string[] {
  return Object.entries(members).flatMap(([key, written]) => {
    const value = object[key]
    const at = path + key
    if (value === undefined) return written.endsWith('?') ? [] : [at]
    const type = typeOf(written)
    const list: readonly unknown[] = type.list ? (Array.isArray(value) ? value : [undefined]) : [value]
    return list.flatMap((each, i) => {
      const here = type.list ? `${at}.${i}` : at
      if (type.members !== undefined && isPlainObject(each)) return faultsOf(each, type.members, `${here}.`)
      return acceptsOne(type, each) ? [] : [here]
    })
  })
}

/**
 * Describes the member at `path` of events whose `type` is the one that `match` names, or one of several
 * (`{any: […]}`): then what any of them may have. Undefined where nothing is known of such events.
 */
export function describeMember(
  match: Readonly<Record<string, unknown>>,
  path: readonly string[],
): MemberDescription | undefined {
  const known = typesOf(match.type).filter((type) => Object.hasOwn(EVENTS, type))
  if (path.length === 1 && path[0] === 'type') return TYPE_MEMBER
  if (known.length === 0) return undefined
  const all = known.map((type) => memberOf({ ...ENVELOPE, ...EVENTS[type] }, path))
  return all.find((each) => each.exists) ?? all[0]
}

function typesOf(asked: unknown): readonly string[] {
  if (typeof asked === 'string') return [asked]
  return isPlainObject(asked) && Array.isArray(asked.any) ? asked.any.map(String) : []
}

const TYPE_MEMBER: MemberDescription = {
  exists: true,
  siblings: [],
  known: Object.keys(EVENTS),
  wants: 'the type of an event',
  accepts: (value) => typeof value === 'string',
}

const ANYTHING: MemberDescription = { exists: true, siblings: [], known: [], wants: 'any JSON', accepts: () => true }

function memberOf(members: Members, path: readonly string[]): MemberDescription {
  const [key, ...inner] = path
  const siblings = Object.keys(members)
  if (key === undefined)
    return { exists: true, siblings: [], known: [], wants: 'an object', accepts: (value) => isPlainObject(value) }
  const written = Object.hasOwn(members, key) ? members[key] : undefined
  if (written === undefined)
    return { exists: false, siblings, known: [], wants: 'no such member', accepts: () => false }
  const type = typeOf(written)
  if (inner.length > 0) {
    if (type.members !== undefined) return memberOf(type.members, inner)
    return type.name === 'object' ? ANYTHING : memberOf({}, inner)
  }
  const want = WANTS[type.name] ?? 'an object'
  return {
    exists: true,
    siblings,
    known: [],
    wants: type.list ? `a list, each ${want}` : want,
    accepts: (value) => accepts(type, value),
  }
}
