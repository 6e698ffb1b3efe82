import type { Trees } from '../codecs/codec.js'
import { GatewayError } from '../errors.js'
import type { Fact } from '../model/index.js'
import { applyCase, type Case, type Cases, numbered } from './cases.js'
import { type Conditional, compileInference, type Inference } from './infer.js'
import { buildLevel, type CarryPlace, type Level, type Place } from './level.js'
import { type Residue, section } from './residue.js'
import type { FieldRule, InferRules } from './schema.js'
import { type Missing, type ShapeWriter, shapeWriter, type WirePlace } from './shape-writer.js'
import { type Context, compileSlot, compileWireTests, keepRaw, resolver, type Slot, setAside } from './slots.js'

/** The fields and cases of one wire map, both ways. */
export interface Shape extends ShapeWriter {
  readonly slots: readonly Slot[]
  readonly cases: Cases | undefined
  /** Whether what the map requires would be written for a fact: without it nobody could read the map. */
  hasRequired(fact: Fact): boolean
  /**
   * Reads a wire map into a fact; what the model cannot take goes to the residue. `hint` names
   * the case that wrote the map. @throws GatewayError mapping.required
   */
  read(map: unknown, fact: Fact, residue: Residue, hint?: string): void
}

/** Makes the carrier of a shape. */
export type CarryAt = (inference: Inference, slots: readonly Slot[]) => CarryPlace

/** What a shape is compiled from. `parts` are slots made elsewhere (lists); they come last. */
export interface ShapeSpec {
  readonly fields?: Readonly<Record<string, string | FieldRule | null>> | undefined
  readonly cases?: Cases | undefined
  readonly parts?: readonly Slot[]
  readonly infer?: InferRules | undefined
  /** Makes what rides along; told of what can be inferred and what the slots say, which need not. */
  readonly carry?: CarryAt | undefined
  readonly place?: WirePlace
  /** Facts that no case says are not written; those read from a map that none reads are marked. */
  readonly mustSay?: boolean | undefined
}

/** Word in place of a model path: the cases write this field. */
export const BY_CASES = 'cases'

/** Slots that are to be settled, and the values found at them; the first `count` are of the map being read. */
interface Late {
  count: number
  readonly slots: Slot[]
  readonly values: unknown[]
}

/** Compiles the fields, cases and parts of one map. */
export function compileShape(spec: ShapeSpec, context: Context): Shape {
  const { cases, mustSay = false } = spec
  // The cases have numbered theirs; those that only tests of fields and inferences are about come after them.
  const keys = [...(cases?.keys ?? [])]
  const fields = fieldPlaces(spec, keys, context)
  const inference = compileInference(
    spec.infer ?? {},
    conditionalsOf(spec, fields, keys, context),
    resolver(context),
    numbered(keys),
    context.file,
  )
  const lists = (spec.parts ?? []).map((slot) => ({ path: slot.path, slot }))
  const places = [...fields, ...strayPlaces(keys, fields), ...lists]
  const slots = places.flatMap(({ slot }) => (slot === undefined ? [] : [slot]))
  const root = buildLevel(places, keys, spec.carry?.(inference, slots))
  const writer = shapeWriter(
    { root, cases, keyCount: keys.length, notesValues: inference.fields.length > 0 && spec.carry !== undefined },
    context.trees,
    spec.place ?? { root: [], match: {}, dialect: context.dialect },
  )
  const reader = levelReader(context.trees, keys.length)
  const required = slots.filter((slot) => slot.required)
  const late: Late = { count: 0, slots: [], values: [] }
  const strays = keys.flatMap((key, at) => (slots.some((slot) => slot.path === key) ? [] : [{ key, at }]))
  const infers = inference.fields.length > 0

  return {
    ...writer,
    slots,
    cases,
    hasRequired(fact) {
      for (const slot of required) if (slot.write(fact) === undefined) return false
      return true
    },
    read(map, fact, residue, hint) {
      late.count = 0
      const values = reader.read(root, map, fact, residue, late)
      const chosen = cases?.reading(values, hint)
      if (chosen !== undefined) applyCase(chosen, fact)
      if (strays.length > 0) keepStrays(strays, values, chosen, residue)
      if (mustSay && chosen === undefined && !isAnyKept(cases!, residue)) residue().$silent = true
      if (infers) inference.apply(values, fact)
      if (late.count > 0) settle(late, fact, values, residue)
      for (const slot of required) if (!isTold(slot, fact)) throw missing(slot, context)
      if (context.trees.ordered) writer.noteOrder(map, fact, residue)
      else if (reader.missing.count > 0) writer.noteAbsent(reader.missing, fact, residue)
    },
  }
}

function fieldPlaces(spec: ShapeSpec, keys: string[], context: Context): Place[] {
  const indexOf = numbered(keys)
  const parts = new Set((spec.parts ?? []).map((slot) => slot.path))
  const places: Place[] = []
  for (const [path, rule] of Object.entries(spec.fields ?? {})) {
    if (rule === null || parts.has(path)) continue
    if (rule === BY_CASES) places.push({ path, slot: undefined })
    else
      places.push({ path, slot: compileSlot(path, typeof rule === 'string' ? { is: rule } : rule, context, indexOf) })
  }
  return places
}

/** Keys that only tests are about have their places, too. */
function strayPlaces(keys: readonly string[], fields: readonly Place[]): Place[] {
  return keys
    .filter((key) => !fields.some(({ path }) => path === key))
    .map((path): Place => ({ path, slot: undefined }))
}

/** Fields that are read under a condition: whoever reads what was written may not take them for what they are. */
function conditionalsOf(
  { fields = {} }: ShapeSpec,
  places: readonly Place[],
  keys: string[],
  context: Context,
): Conditional[] {
  const indexOf = numbered(keys)
  return Object.entries(fields).flatMap(([path, rule]) => {
    if (rule === null || typeof rule === 'string' || rule.if === undefined) return []
    const slot = places.find((place) => place.path === path)!.slot!
    const passes = compileWireTests(rule.if, indexOf)
    const at = indexOf(path)
    const field = slot.field!
    const guess = (values: readonly unknown[]) => {
      if (values[at] === undefined || !passes(values)) return undefined
      const fact = { kind: context.kind } as Fact
      slot.read(values[at], fact)
      return field.get(fact)
    }
    return [{ field, guess }]
  })
}

/** A text of several model fields is told where they make one. */
function isTold({ field, write }: Slot, fact: Fact): boolean {
  return (field === undefined ? write(fact) : field.get(fact)) !== undefined
}

function missing({ path, field }: Slot, context: Context): GatewayError {
  const use = field === undefined ? '' : ` as ${field.path}`
  const what = `${context.dialect}: field ${path} is missing or not usable${use}`
  return new GatewayError('mapping.required', `${what}; the mapping requires it`)
}

function settle(late: Late, fact: Fact, values: readonly unknown[], residue: Residue): void {
  for (let i = 0; i < late.count; i++) {
    const slot = late.slots[i]!
    const value = late.values[i]
    const settled = slot.settle!(value, fact, values)
    if (settled === 'unread') setAside(slot, value, fact, residue)
    else if (!settled) keepRaw(slot, value, residue)
  }
}

/** Keeps aside what stands where no field is, unless the case writes that very value. */
function keepStrays(
  strays: readonly { readonly key: string; readonly at: number }[],
  values: readonly unknown[],
  chosen: Case | undefined,
  residue: Residue,
): void {
  for (let i = 0; i < strays.length; i++) {
    const { key, at } = strays[i]!
    const value = values[at]
    if (value === undefined) continue
    const written = chosen?.firm.has(at) ? chosen.firm.get(at) : chosen?.also.get(at)
    if (value !== written) section(residue, '$raw')[key] = value
  }
}

function isAnyKept({ keys }: Cases, residue: Residue): boolean {
  const raw = residue().$raw as Record<string, unknown> | undefined
  return raw !== undefined && keys.some((key) => raw[key] !== undefined)
}

function levelReader(trees: Trees, keyCount: number) {
  // Reading is synchronous and never re-enters the same shape, so one scratch list serves every message.
  const caseValues: unknown[] = new Array(keyCount)
  const missing: Missing = { count: 0, levels: [], places: [] }

  function readEntry(level: Level, at: number, value: unknown, fact: Fact, residue: Residue, late: Late): void {
    const entry = level.entries[at]!
    if (entry.kind === 'slot') {
      const { slot } = entry
      if (entry.caseAt >= 0) caseValues[entry.caseAt] = value
      if (slot.settle !== undefined && (slot.isLate === undefined || slot.isLate(value))) {
        late.slots[late.count] = slot
        late.values[late.count++] = value
      } else if (!slot.read(value, fact)) setAside(slot, value, fact, residue)
    } else if (entry.kind === 'case') caseValues[entry.caseAt] = value
    else if (isPlainMap(value)) readLevel(entry.level, value, fact, residue, late)
    else section(residue, '$raw')[entry.level.path] = value
  }

  function isPlainMap(value: unknown): boolean {
    return trees.isMap(value) && trees.classOf(value) === undefined && trees.size(value) > 0
  }

  function readLevel(level: Level, map: unknown, fact: Fact, residue: Residue, late: Late): void {
    // Where order means nothing on the wire, the order of the rules decides who has the last word on a model field.
    if (!trees.ordered && readInRuleOrder(level, map, fact, residue, late) === trees.size(map)) return
    const keys = trees.keys(map)
    const values = trees.values(map)
    let moreKeys: unknown[] | undefined
    let moreValues: unknown[] = []
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]
      const at = level.keys[i] === key ? i : level.index.get(key)
      if (at === undefined) {
        if (level.carrier?.read(String(key), values[i], fact)) continue
        if (moreKeys === undefined) {
          moreKeys = []
          moreValues = []
        }
        moreKeys.push(key)
        moreValues.push(values[i])
      } else if (trees.ordered) {
        const slot = level.plain[at]
        if (slot === undefined) readEntry(level, at, values[i], fact, residue, late)
        else if (!slot.read(values[i], fact)) setAside(slot, values[i], fact, residue)
      }
    }
    if (moreKeys !== undefined) section(residue, '$more')[level.path] = trees.map(undefined, moreKeys, moreValues)
  }

  /** Tells how many of the entries were there. */
  function readInRuleOrder(level: Level, map: unknown, fact: Fact, residue: Residue, late: Late): number {
    let found = 0
    for (let at = 0; at < level.keys.length; at++) {
      const value = trees.get(map, level.keys[at]!)
      if (value === undefined) {
        if (!level.mayMiss[at]) continue
        missing.levels[missing.count] = level
        missing.places[missing.count++] = at
        continue
      }
      found += 1
      const slot = level.plain[at]
      if (slot === undefined) readEntry(level, at, value, fact, residue, late)
      else if (!slot.read(value, fact)) setAside(slot, value, fact, residue)
    }
    return found
  }

  return {
    /** Entries of the map just read that were not there, though the writer might put them. */
    missing,
    /** Reads a map; the answer holds the values at the numbered keys until the next call. */
    read(root: Level, map: unknown, fact: Fact, residue: Residue, late: Late): readonly unknown[] {
      caseValues.fill(undefined)
      missing.count = 0
      readLevel(root, map, fact, residue, late)
      return caseValues
    },
  }
}
