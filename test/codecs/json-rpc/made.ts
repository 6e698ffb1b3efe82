import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { xccSchema } from '../../../src/codecs/json-rpc/schema.js'

/** fast-check's settings; `FC_SEED` repeats a run. */
export function runs(numRuns: number): fc.Parameters<unknown> {
  const seed = process.env.FC_SEED
  return seed === undefined ? { numRuns } : { numRuns, seed: Number(seed) }
}

/** The lines of a fixture, each parsed. */
export function fixtureLines<T>(name: string): T[] {
  const text = readFileSync(new URL(`../../fixtures/xcc/${name}`, import.meta.url), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((made) => made.isWellFormed())
const hostileKey = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', 'toJSON', ''))
const noZeroSign = (value: number) => (Object.is(value, -0) ? 0 : value)
const jsonValue = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)

/** An object with any keys, none of which touches a prototype. */
export const dictionary = <T>(of: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(hostileKey, of), { maxLength: 4 }).map((pairs) => objectOf(pairs))

/** As `Object.fromEntries`: `__proto__` becomes an own member. */
export const objectOf = (pairs: readonly (readonly [string, unknown])[]): Record<string, unknown> =>
  Object.fromEntries(pairs)

const SCALARS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: text,
  bool: fc.boolean(),
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  int32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }).map(noZeroSign),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map(noZeroSign),
  float: fc.float({ noNaN: true, noDefaultInfinity: true }).map(noZeroSign),
}

function itemOf(field: protobuf.Field): fc.Arbitrary<unknown> {
  const { resolvedType, type } = field.resolve()
  if (resolvedType instanceof protobuf.Enum)
    return fc.constantFrom<unknown>(...Object.keys(resolvedType.values), ...Object.values(resolvedType.values))
  if (resolvedType instanceof protobuf.Type) return messageOf(resolvedType)
  const scalar = SCALARS[type]
  if (scalar === undefined) throw new Error(`no generator for ${type}`)
  return scalar
}

function fieldOf(field: protobuf.Field): fc.Arbitrary<unknown> {
  if (field.map) return dictionary(itemOf(field))
  return field.repeated ? fc.array(itemOf(field), { maxLength: 3 }) : itemOf(field)
}

/** Random JSON of a message type, some members left out. */
export function messageOf(
  type: protobuf.Type,
  options: { omit?: readonly string[]; required?: readonly string[] } = {},
) {
  if (type.fullName === '.google.protobuf.Value') return jsonValue
  if (type.fullName === '.google.protobuf.ListValue') return fc.array(jsonValue, { maxLength: 3 })
  if (type.fieldsArray.length === 0 || type.fullName === '.google.protobuf.Struct') return dictionary(jsonValue)
  const { omit = [], required = [] } = options
  const members: Record<string, fc.Arbitrary<unknown>> = {}
  for (const field of type.fieldsArray) {
    if (omit.includes(field.name)) continue
    const made = fieldOf(field)
    members[field.name] = required.includes(field.name) ? made.filter((value) => value !== '') : made
  }
  return fc.record(members, { requiredKeys: required as string[] }) as fc.Arbitrary<unknown>
}

/** Finds a message type by its full name. */
export const messageType = (name: string): protobuf.Type => xccSchema().lookupType(name)

/** A place in a made message: its path as the checks write it, and how to put another value there. */
export interface Place {
  readonly path: string
  readonly type: string
  put(value: unknown): void
}

const PLAIN_KEY = /^[A-Za-z_][\w-]*$/
const FREE = /^\.google\.protobuf\.(Struct|ListValue|Value)$/

const into = (holder: object, key: string | number) => (to: unknown) => {
  Reflect.set(holder, key, to)
}

/** Every typed place of a made message, deep ones too; free JSON has none inside. */
export function placesOf(type: protobuf.Type, message: object, path = 'params'): Place[] {
  const object = message as Record<string, unknown>
  return type.fieldsArray.flatMap((field) => {
    if (!Object.hasOwn(object, field.name)) return []
    const at = `${path}.${field.name}`
    const { resolvedType, type: scalar } = field.resolve()
    const kind = resolvedType === null ? scalar : resolvedType.fullName
    if (FREE.test(kind) && kind.endsWith('.Value')) return []
    const here: Place = {
      path: at,
      type: field.map || field.repeated ? 'container' : kind,
      put: into(object, field.name),
    }
    const inside = (value: unknown, where: string, put: (to: unknown) => void): Place[] => [
      { path: where, type: kind, put },
      ...deeper(resolvedType, value, where),
    ]
    const value = object[field.name]
    if (field.map) {
      const map = value as Record<string, unknown>
      const keys = Object.keys(map).filter((key) => PLAIN_KEY.test(key) && key !== '__proto__')
      return [here, ...keys.flatMap((key) => inside(map[key], `${at}.${key}`, into(map, key)))]
    }
    if (field.repeated) {
      const list = value as unknown[]
      return [here, ...list.flatMap((item, i) => inside(item, `${at}[${i}]`, into(list, i)))]
    }
    return [here, ...deeper(resolvedType, value, at)]
  })
}

function deeper(type: protobuf.Type | protobuf.Enum | null, value: unknown, path: string): Place[] {
  if (!(type instanceof protobuf.Type) || FREE.test(type.fullName) || type.fieldsArray.length === 0) return []
  return placesOf(type, value as object, path)
}
