import type { Trees } from '../codecs/codec.js'
import type { Fact } from '../model/index.js'
import type { Case, Cases } from './cases.js'
import { tableRows } from './converters.js'
import type { Inference } from './infer.js'
import { type Bag, extensionOf, fitsShape, type ModelPath, modelPath, modelPaths, setOwn } from './paths.js'
import { partFromTyped, partToTyped } from './residue.js'
import type { CarryRules, FieldRules, MappingFile } from './schema.js'
import type { Context, Slot } from './slots.js'

/** What the carrier of one message needs to know of the rest of its rule. */
export interface CarryRule {
  /** Begins each of our keys in it. */
  readonly prefix: string
  /** Map field of the model that takes the keys without the prefix. */
  readonly rest: ModelPath | undefined
  /** Model paths that the message says in its own words. */
  readonly covered: ReadonlySet<string>
  /** Of these, the values that it has words for, where it has them only for some. */
  readonly sayable: ReadonlyMap<string, ReadonlySet<unknown>>
  /** Of these, those that only texts of several fields say, each with the slots that may. */
  readonly formed: ReadonlyMap<string, readonly Slot[]>
  /** What a reader tells from the message without being told. */
  readonly inference: Inference
  /** What writes the map, made by the dialect's own trees. */
  readonly writer: unknown
  /** Value types of the dialects whose extensions may ride along. */
  readonly treesOf: (dialect: string) => Trees | undefined
}

/** Key under which a case is named that would otherwise be read back as another. */
const CASE = 'case'
/** Model path of a fact's own time. */
const AT = 'at'
/** Begins the text of a carried value that is no string, followed by its typed JSON. */
const TYPED = '!'

/** Reads and writes the entries of a map that no field of the rule takes. */
export interface Carrier {
  /** False for an entry that is neither ours nor wanted by the model. */
  read(key: string, value: unknown, fact: Fact): boolean
  /**
   * Adds its entries to a map. `chosen` is the case that writes the fact, `values` are what was written at
   * the numbered wire keys. Tells whether there were any.
   */
  write(fact: Fact, chosen: Case | undefined, map: unknown, values: readonly unknown[]): boolean
}

/** Names of extensions whose keys are remembered; they may come from the network, so not all are. */
const MAX_NAMES = 1000

/**
 * The carrier of everything a dialect has no word for: model fields its rules do not cover, and the
 * extensions of other dialects, as text entries of one map. A text is carried as it is; any other
 * value, and a text that begins with `!`, as `!` and JSON that keeps the type.
 */
export function compileCarrier(rule: CarryRule, cases: Cases | undefined, context: Context): Carrier {
  const { kind, dialect, trees } = context
  const { inference, sayable, formed } = rule
  const ready = (key: string) => trees.ready(key, rule.writer)
  const byCases = new Set(cases?.fields.map((field) => field.path))
  const inferredAt = (path: string) => inference.fields.findIndex((field) => field.path === path)
  const isOurs = (path: string) => !rule.covered.has(path) || sayable.has(path) || formed.has(path)
  const uncovered = modelPaths(kind)
    .filter((path) => isOurs(path) && !byCases.has(path) && path !== rule.rest?.path)
    .map((path) => ({
      field: modelPath(kind, path, dialect)!,
      key: rule.prefix + path,
      ready: ready(rule.prefix + path),
      from: firstUncovered(path, rule),
      sayable: sayable.get(path),
      formed: formed.get(path),
      inferredAt: inferredAt(path),
      group: path.includes('.') ? path.slice(0, path.indexOf('.')) : undefined,
    }))
  const said = cases === undefined ? undefined : unsaidByCases(cases, rule, context)
  // When it was received is another matter at every place; when it happened is not.
  const at = rule.covered.has(AT) ? undefined : ready(rule.prefix + AT)
  const names = new Map<string, Map<string, unknown>>()

  function write(fact: Fact, chosen: Case | undefined, map: unknown, values: readonly unknown[]): boolean {
    let any = false
    const rest = rule.rest?.get(fact) as Record<string, string> | undefined
    if (rest !== undefined) {
      for (const key in rest) {
        trees.put(map, key, rest[key]!)
        any = true
      }
    }
    for (let i = 0; i < uncovered.length; i++) {
      const each = uncovered[i]!
      // Fields of a group stand together: without the group there is none of them.
      if (each.group !== undefined && (fact as unknown as Bag)[each.group] === undefined) {
        while (uncovered[i + 1]?.group === each.group) i++
        continue
      }
      const value = each.field.get(fact)
      if (value === undefined || each.sayable?.has(value)) continue
      if (each.formed?.some((slot) => slot.says!(fact, each.field))) continue
      if (each.inferredAt >= 0 && inference.guess(each.inferredAt, values, fact) === value) continue
      if (each.from === 0) trees.putReady(map, each.ready, toText(value))
      else if (!writeTail(map, each.key, value as readonly unknown[], each.from)) continue
      any = true
    }
    if (said?.(fact, chosen, map, values)) any = true
    if (at !== undefined && fact.meta?.clock === 'source' && fact.meta.at !== undefined) {
      trees.putReady(map, at, toText(fact.meta.at))
      any = true
    }
    if (fact.ext !== undefined) {
      for (const other in fact.ext) {
        if (other !== dialect && writeExtension(other, fact.ext[other]!, map)) any = true
      }
    }
    return any
  }

  /** The elements of a list that the rules do not say. */
  function writeTail(map: unknown, key: string, list: readonly unknown[], from: number): boolean {
    for (let at = from; at < list.length; at++) trees.put(map, `${key}.${at}`, toText(list[at]))
    return list.length > from
  }

  function writeExtension(other: string, bag: Bag, map: unknown): boolean {
    const types = rule.treesOf(other)
    if (types === undefined) return false
    let any = false
    for (const name in bag) {
      const value = bag[name]
      trees.putReady(
        map,
        readyOf(other, name),
        toText(typeof value === 'string' ? value : partToTyped(name, value, types)),
      )
      any = true
    }
    return any
  }

  function readyOf(other: string, name: string): unknown {
    let known = names.get(other)
    if (known === undefined) {
      known = new Map()
      names.set(other, known)
    }
    let made = known.get(name)
    if (made === undefined) {
      made = ready(`${rule.prefix}ext.${other}.${name}`)
      if (known.size < MAX_NAMES) known.set(name, made)
    }
    return made
  }

  /** False where an entry is not ours or not readable: then it stays an ordinary entry. */
  function readCarried(name: string, text: string, fact: Fact): boolean {
    if (name === CASE) return true
    if (!name.startsWith('ext.')) {
      const field = modelPath(kind, name, dialect)
      const value = fromText(text)
      if (field?.shape === undefined || !isOurs(name) || !fitsShape(value, field.shape)) return false
      // A text of several fields has told it already.
      if (formed.has(name) && field.get(fact) !== undefined) return false
      field.set(fact, value)
      return true
    }
    const dot = name.indexOf('.', 4)
    const other = name.slice(4, dot)
    const types = dot < 0 || other === dialect ? undefined : rule.treesOf(other)
    if (types === undefined) return false
    const value = fromText(text)
    const part = name.slice(dot + 1)
    if (value === undefined) return false
    try {
      const own = typeof value === 'string' ? value : partFromTyped(part, value, types)
      setOwn(extensionOf(fact, other), part, own)
    } catch {
      return false
    }
    return true
  }

  return {
    write,
    read(key, value, fact) {
      if (typeof value !== 'string') return false
      if (key.startsWith(rule.prefix) && readCarried(key.slice(rule.prefix.length), value, fact)) return true
      if (rule.rest === undefined) return false
      const rest = rule.rest.get(fact) as Bag | undefined
      if (rest === undefined) rule.rest.set(fact, setOwn({}, key, value))
      else setOwn(rest, key, value)
      return true
    },
  }
}

/** Values that fields with a table have words for, by model path. */
export function sayableValues(fields: FieldRules | undefined, file: MappingFile): Map<string, ReadonlySet<unknown>> {
  const found = new Map<string, ReadonlySet<unknown>>()
  for (const field of Object.values(fields ?? {})) {
    if (typeof field !== 'object' || field?.is === undefined || field.table === undefined) continue
    found.set(field.is, new Set(tableRows(file.tables?.[field.table] ?? {}).map(([, model]) => model)))
  }
  return found
}

/** How many elements of a list the rules say in their own words; only those after them are carried. */
function firstUncovered(path: string, { covered }: CarryRule): number {
  let count = 0
  while (covered.has(`${path}.${count}`)) count += 1
  return count
}

/** What tells the case that is named where everything rides in a wire map, if any is. */
export function carriedCase({ at, prefix }: CarryRules, trees: Trees): (map: unknown) => string | undefined {
  const steps = [...at.split('.'), prefix + CASE]
  return (map) => {
    let value = map
    for (let i = 0; i < steps.length; i++) value = trees.isMap(value) ? trees.get(value, steps[i]!) : undefined
    return typeof value === 'string' ? value : undefined
  }
}

/** Writes what a case leaves unsaid of the fields that cases are about, and its name where a reader needs it. */
function unsaidByCases(all: Cases, rule: CarryRule, { trees }: Context): Carrier['write'] {
  const { inference } = rule
  const fields = all.fields.filter((field) => !rule.covered.has(field.path))
  const inferredAt = fields.map((field) => inference.fields.findIndex((each) => each.path === field.path))
  const keys = fields.map((field) => trees.ready(rule.prefix + field.path, rule.writer))
  const nothing = fields.map(() => undefined)
  const sets = new Map(all.all.map((each) => [each, fields.map((field) => each.sets.get(field.path))]))
  return (fact, chosen, map, values) => {
    const expected = chosen === undefined ? nothing : sets.get(chosen)!
    let any = false
    for (let i = 0; i < fields.length; i++) {
      const value = fields[i]!.get(fact)
      if (value === undefined || value === expected[i]) continue
      if (inferredAt[i]! >= 0 && inference.guess(inferredAt[i]!, values, fact) === value) continue
      trees.putReady(map, keys[i], toText(value))
      any = true
    }
    const hint = chosen === undefined ? undefined : all.hintFor(chosen)
    if (hint === undefined) return any
    trees.put(map, rule.prefix + CASE, hint)
    return true
  }
}

function toText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return TYPED + String(value)
  return typeof value === 'string' && !value.startsWith(TYPED) ? value : TYPED + JSON.stringify(value)
}

/** Undefined for a text that claims to be typed and is not. */
function fromText(text: string): unknown {
  if (!text.startsWith(TYPED)) return text
  try {
    return JSON.parse(text.slice(TYPED.length)) as unknown
  } catch {
    return undefined
  }
}
