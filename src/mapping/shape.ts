import type { Trees } from '../codecs/codec.js'
import { GatewayError } from '../errors.js'
import type { Fact } from '../model/index.js'
import { applyCase, type Case, type Cases } from './cases.js'
import { buildLevel, type CarryPlace, type Level, type Place } from './level.js'
import { type Residue, section } from './residue.js'
import type { FieldRule } from './schema.js'
import { type ShapeWriter, shapeWriter, type WirePlace } from './shape-writer.js'
import { type Context, compileSlot, type Slot, setAside } from './slots.js'

/** The fields and cases of one wire map, both ways. */
export interface Shape extends ShapeWriter {
  readonly slots: readonly Slot[]
  readonly cases: Cases | undefined
  /** Whether a fact has what the map requires: without it nobody could read what is written. */
  hasRequired(fact: Fact): boolean
  /**
   * Reads a wire map into a fact; what the model cannot take goes to the residue. `hint` names
   * the case that wrote the map. @throws GatewayError mapping.required
   */
  read(map: unknown, fact: Fact, residue: Residue, hint?: string): void
}

/** What a shape is compiled from. `parts` are slots made elsewhere (lists); they come last. */
export interface ShapeSpec {
  readonly fields?: Readonly<Record<string, string | FieldRule | null>> | undefined
  readonly cases?: Cases | undefined
  readonly parts?: readonly Slot[]
  readonly carry?: CarryPlace | undefined
  readonly place?: WirePlace
  /** Facts that no case says are not written; those read from a map that none reads are marked. */
  readonly mustSay?: boolean | undefined
}

/** Word in place of a model path: the cases write this field. */
export const BY_CASES = 'cases'

type Late = { readonly slot: Slot; readonly value: unknown }[]

/** Compiles the fields, cases and parts of one map. */
export function compileShape(spec: ShapeSpec, context: Context): Shape {
  const { cases, mustSay = false } = spec
  const places = placesOf(spec, cases, context)
  const slots = places.flatMap(({ slot }) => (slot === undefined ? [] : [slot]))
  const root = buildLevel(places, cases, spec.carry)
  const writer = shapeWriter(
    root,
    cases,
    context.trees,
    spec.place ?? { root: [], match: {}, dialect: context.dialect },
  )
  const reader = levelReader(context.trees, cases)
  const required = slots.filter((slot) => slot.required)
  const settles = slots.some((slot) => slot.settle !== undefined)
  const owned = cases?.keys.map((key) => !slots.some((slot) => slot.path === key)) ?? []

  return {
    ...writer,
    slots,
    cases,
    hasRequired(fact) {
      for (const slot of required) if (slot.field!.get(fact) === undefined) return false
      return true
    },
    read(map, fact, residue, hint) {
      const late: Late | undefined = settles ? [] : undefined
      const caseValues = reader.read(root, map, fact, residue, late)
      if (cases !== undefined) readCases(cases, caseValues, owned, fact, residue, hint, mustSay)
      if (late !== undefined) settle(late, fact, residue)
      for (const slot of required) if (slot.field!.get(fact) === undefined) throw missing(slot, context)
      writer.noteOrder(map, fact, residue)
    },
  }
}

function placesOf(spec: ShapeSpec, cases: Cases | undefined, context: Context): Place[] {
  const parts = new Map((spec.parts ?? []).map((slot) => [slot.path, slot]))
  const places: Place[] = []
  for (const [path, rule] of Object.entries(spec.fields ?? {})) {
    if (rule === null || parts.has(path)) continue
    if (rule === BY_CASES) places.push({ path, slot: undefined })
    else places.push({ path, slot: compileSlot(path, typeof rule === 'string' ? { is: rule } : rule, context) })
  }
  for (const key of cases?.keys ?? []) {
    if (!places.some(({ path }) => path === key)) places.push({ path: key, slot: undefined })
  }
  return [...places, ...[...parts].map(([path, slot]) => ({ path, slot }))]
}

function missing(slot: Slot, context: Context): GatewayError {
  const what = `${context.dialect}: field ${slot.path} is missing or not usable as ${slot.field!.path}`
  return new GatewayError('mapping.required', `${what}; the mapping requires it`)
}

function settle(late: Late, fact: Fact, residue: Residue): void {
  for (const { slot, value } of late) if (!slot.settle!(value, fact)) section(residue, '$raw')[slot.path] = value
}

/** Takes the values at the cases' keys; those no field owns are kept aside where the case would write others. */
function readCases(
  cases: Cases,
  values: readonly unknown[],
  owned: readonly boolean[],
  fact: Fact,
  residue: Residue,
  hint: string | undefined,
  mustSay: boolean,
): void {
  const chosen: Case | undefined = cases.reading(values, hint)
  if (chosen !== undefined) applyCase(chosen, fact)
  for (let at = 0; at < owned.length; at++) {
    const value = values[at]
    if (!owned[at] || value === undefined) continue
    const written = chosen?.firm.has(at) ? chosen.firm.get(at) : chosen?.also.get(at)
    if (value !== written) section(residue, '$raw')[cases.keys[at]!] = value
  }
  if (mustSay && chosen === undefined && !isAnyKept(cases, residue)) residue().$silent = true
}

function isAnyKept({ keys }: Cases, residue: Residue): boolean {
  const raw = residue().$raw as Record<string, unknown> | undefined
  return raw !== undefined && keys.some((key) => raw[key] !== undefined)
}

function levelReader(trees: Trees, cases: Cases | undefined) {
  // Reading is synchronous and never re-enters the same shape, so one scratch list serves every message.
  const caseValues: unknown[] = new Array(cases?.keys.length ?? 0)

  function readEntry(
    level: Level,
    at: number,
    value: unknown,
    fact: Fact,
    residue: Residue,
    late: Late | undefined,
  ): void {
    const entry = level.entries[at]!
    if (entry.kind === 'slot') {
      const { slot } = entry
      if (entry.caseAt >= 0) caseValues[entry.caseAt] = value
      if (slot.settle !== undefined) late!.push({ slot, value })
      else if (!slot.read(value, fact)) setAside(slot, value, fact, residue)
    } else if (entry.kind === 'case') caseValues[entry.caseAt] = value
    else if (isPlainMap(value)) readLevel(entry.level, value, fact, residue, late)
    else section(residue, '$raw')[entry.level.path] = value
  }

  function isPlainMap(value: unknown): boolean {
    return trees.isMap(value) && trees.classOf(value) === undefined && trees.keys(value).length > 0
  }

  function readLevel(level: Level, map: unknown, fact: Fact, residue: Residue, late: Late | undefined): void {
    const keys = trees.keys(map)
    const values = trees.values(map)
    // Where order means nothing on the wire, the order of the rules decides who has the last word on a model field.
    if (!trees.ordered) readInRuleOrder(level, map, fact, residue, late)
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

  function readInRuleOrder(level: Level, map: unknown, fact: Fact, residue: Residue, late: Late | undefined): void {
    for (let at = 0; at < level.keys.length; at++) {
      const value = trees.get(map, level.keys[at]!)
      if (value !== undefined) readEntry(level, at, value, fact, residue, late)
    }
  }

  return {
    /** Reads a map; the answer holds the values at the cases' keys until the next call. */
    read(root: Level, map: unknown, fact: Fact, residue: Residue, late: Late | undefined): readonly unknown[] {
      caseValues.fill(undefined)
      readLevel(root, map, fact, residue, late)
      return caseValues
    },
  }
}
