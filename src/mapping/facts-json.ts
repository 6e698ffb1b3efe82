import { GatewayError } from '../errors.js'
import { FACT_SHAPES, type Fact, type FactKind, type FieldShape } from '../model/index.js'
import type { TreesOf } from './message.js'
import { type Bag, fitsShape, setOwn } from './paths.js'
import { bagFromTyped, bagToTyped } from './residue.js'

/** What dialects said beside their facts, by dialect. */
export type Extensions = Readonly<Record<string, Bag>>

/** The facts of one wire message as JSON; extension values keep their dialect's types. */
export interface FactsBody {
  readonly facts: readonly Fact[]
  readonly ext: Extensions
}

/** A fact as plain JSON, `kind` first, `meta` and `ext` last. */
function factToJson(fact: Fact, treesOf: TreesOf): Bag {
  const { kind, meta, ext, ...fields } = fact
  return {
    kind,
    ...told(kind, fields),
    ...(meta === undefined ? {} : { meta }),
    ...(ext === undefined || isEmpty(ext) ? {} : { ext: extToJson(ext, treesOf) }),
  }
}

/** The fields that say something: absent ones and groups without any are left out. */
function told(kind: FactKind, fields: Readonly<Record<string, unknown>>): Bag {
  const shapes: Readonly<Record<string, FieldShape>> = FACT_SHAPES[kind]
  const out: Bag = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (name in shapes || !isPlain(value)) out[name] = value
    else {
      const group = Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined))
      if (!isEmpty(group)) out[name] = group
    }
  }
  return out
}

/** `{"facts": […], "ext": {…}}`. */
export function factsBodyToJson({ facts, ext }: FactsBody, treesOf: TreesOf): Bag {
  return { facts: facts.map((fact) => factToJson(fact, treesOf)), ext: extToJson(ext, treesOf) }
}

/** The reverse of {@link factsBodyToJson}. @throws GatewayError codec.field naming the place that is wrong */
export function factsBodyFromJson(json: unknown, treesOf: TreesOf): FactsBody {
  if (!isPlain(json)) throw wrong('the body', 'want an object with `facts` and `ext`')
  const { facts, ext = {}, ...more } = json
  const [odd] = Object.keys(more)
  if (odd !== undefined) throw wrong(odd, 'a body of facts has only `facts` and `ext`')
  if (!Array.isArray(facts)) throw wrong('facts', 'want a list of facts')
  return {
    facts: facts.map((fact, i) => factFromJson(fact, treesOf, `facts[${i}]`)),
    ext: extFromJson(ext, treesOf, 'ext'),
  }
}

/** The reverse of {@link factToJson}. `where` begins the message of an error. */
function factFromJson(json: unknown, treesOf: TreesOf, where = 'fact'): Fact {
  if (!isPlain(json)) throw wrong(where, 'want an object with a `kind`')
  const { kind, meta, ext, full, ...fields } = json
  if (typeof kind !== 'string' || !Object.hasOwn(FACT_SHAPES, kind))
    throw wrong(`${where}.kind`, `want one of ${Object.keys(FACT_SHAPES).join(', ')}`)
  if (full !== undefined && typeof full !== 'boolean') throw wrong(`${where}.full`, 'want true or false')
  if (meta !== undefined) checkMeta(meta, `${where}.meta`)
  const shapes = FACT_SHAPES[kind as FactKind] as Readonly<Record<string, FieldShape>>
  for (const [name, value] of Object.entries(fields)) checkField(shapes, kind, name, value, where)
  const fact: Bag = { kind, ...fields }
  if (full !== undefined) fact.full = full
  if (meta !== undefined) fact.meta = meta
  if (ext !== undefined) fact.ext = extFromJson(ext, treesOf, `${where}.ext`)
  // Every field was held to the shape of its kind above.
  return fact as unknown as Fact
}

function checkField(
  shapes: Readonly<Record<string, FieldShape>>,
  kind: string,
  name: string,
  value: unknown,
  where: string,
): void {
  const shape = shapes[name]
  if (shape !== undefined) {
    if (!fitsShape(value, shape)) throw wrong(`${where}.${name}`, `want ${nameOf(shape)}`)
    return
  }
  const isGroup = !name.includes('.') && Object.keys(shapes).some((path) => path.startsWith(`${name}.`))
  if (!isGroup) throw wrong(`${where}.${name}`, `a ${kind} fact has no such field`)
  if (!isPlain(value)) throw wrong(`${where}.${name}`, 'want an object')
  for (const [inner, each] of Object.entries(value)) {
    const path = `${name}.${inner}`
    const of = shapes[path]
    if (of === undefined) throw wrong(`${where}.${path}`, `a ${kind} fact has no such field`)
    if (!fitsShape(each, of)) throw wrong(`${where}.${path}`, `want ${nameOf(of)}`)
  }
}

function nameOf({ type, values, list, map }: FieldShape): string {
  const one = values === undefined ? type : `one of ${values.join(', ')}`
  return list ? `a list of ${one}` : map ? `an object of ${one}` : one
}

function checkMeta(meta: unknown, where: string): void {
  if (!isPlain(meta)) throw wrong(where, 'want an object')
  const { id, at, part } = meta
  if (id !== undefined && typeof id !== 'string') throw wrong(`${where}.id`, 'want text')
  if (at !== undefined && !Number.isSafeInteger(at)) throw wrong(`${where}.at`, 'want milliseconds since 1970')
  if (part !== undefined && !isPart(part)) throw wrong(`${where}.part`, 'want `message`, `index` and `count`')
}

function isPart(part: unknown): boolean {
  if (!isPlain(part)) return false
  return typeof part.message === 'string' && Number.isSafeInteger(part.index) && Number.isSafeInteger(part.count)
}

function extToJson(ext: Extensions, treesOf: TreesOf): Bag {
  const out: Bag = {}
  for (const [dialect, bag] of Object.entries(ext)) {
    const trees = treesOf(dialect)
    setOwn(out, dialect, trees === undefined ? bag : bagToTyped(bag, trees))
  }
  return out
}

function extFromJson(json: unknown, treesOf: TreesOf, where: string): Record<string, Bag> {
  if (!isPlain(json)) throw wrong(where, 'want an object by dialect')
  const out: Record<string, Bag> = {}
  for (const [dialect, bag] of Object.entries(json)) {
    if (!isPlain(bag)) throw wrong(`${where}.${dialect}`, 'want an object')
    const trees = treesOf(dialect)
    try {
      setOwn(out, dialect, trees === undefined ? bag : bagFromTyped(bag, trees))
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new GatewayError('codec.field', `${where}.${dialect}: ${why}`, { cause })
    }
  }
  return out
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false
  return true
}

function isPlain(value: unknown): value is Bag {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(where: string, right: string): GatewayError {
  return new GatewayError('codec.field', `${where}: ${right}`)
}
