import type { Trees } from '../codecs/codec.js'
import type { Fact, FactKind } from '../model/index.js'
import { compileTest } from './conditions.js'
import { type Converter, converter, defaultConversion, tableConverter, tableRows } from './converters.js'
import { compileExpression } from './expression.js'
import { type Bag, type ModelPath, modelPath } from './paths.js'
import { type Residue, section } from './residue.js'
import type { FieldRule, MappingFile } from './schema.js'

/** What rules are compiled against. */
export interface Context {
  readonly file: MappingFile
  readonly dialect: string
  readonly trees: Trees
  readonly kind: FactKind
}

/** One wire field of a map, both ways. */
export interface Slot {
  /** Wire path within its message part, for residues and messages to people. */
  readonly path: string
  readonly field: ModelPath | undefined
  readonly required: boolean
  readonly lossy: string | undefined
  /** Takes a wire value into the fact; false when the model could not take it. */
  read(value: unknown, fact: Fact): boolean
  /** Called when the whole map was read, for fields that depend on others: false keeps the value aside. */
  settle: ((value: unknown, fact: Fact) => boolean) | undefined
  /** Takes an integer as its decimal text, where the model has a text and `read` took nothing; absent: never does. */
  readInteger: ((value: unknown, fact: Fact) => boolean) | undefined
  /** The reverse: the integer of a written text, undefined when that is none. */
  asInteger: ((text: unknown) => unknown) | undefined
  /** The wire value of what the model says, or undefined. */
  write(fact: Fact): unknown
  /** What stands there when the model says nothing and nothing was kept aside; absent: nothing ever does. */
  fallback: ((fact: Fact) => unknown) | undefined
  /** Whether it is written at all for a fact; absent: always. */
  applies: ((fact: Fact) => boolean) | undefined
  /** Its model side is an `ext` field. */
  readonly fromAside: boolean
}

const always = () => true
const nothing = () => undefined

/** Makes a slot. Every slot is made here, so that all of them look alike to the engine that runs us. */
export function makeSlot(parts: Pick<Slot, 'path' | 'read' | 'write'> & Partial<Slot>): Slot {
  const { path, field, required = false, lossy, read, settle, readInteger, asInteger, write, fallback, applies } = parts
  const fromAside = field?.space === 'ext'
  return { path, field, required, lossy, read, settle, readInteger, asInteger, write, fallback, applies, fromAside }
}

const INTEGER = 'int'

/** Keeps what a slot's `read` did not take: an integer by its type alone where the model has its text, else the value. */
export function setAside(slot: Slot, value: unknown, fact: Fact, residue: Residue): void {
  if (slot.readInteger?.(value, fact)) section(residue, '$types')[slot.path] = INTEGER
  else section(residue, '$raw')[slot.path] = value
}

/** What a slot writes for a fact whose residue notes types. */
export function writeTyped(slot: Slot, fact: Fact, types: Bag): unknown {
  const value = slot.write(fact)
  if (value === undefined || types[slot.path] !== INTEGER) return value
  return slot.asInteger?.(value) ?? value
}

/** Resolves a model path that check has already accepted. */
export function resolver(context: Context): (path: string) => ModelPath {
  return (path) => {
    const found = modelPath(context.kind, path, context.dialect)
    if (found === undefined) throw new Error(`unchecked model path ${path} of ${context.kind}`)
    return found
  }
}

/** Compiles one field rule that is not a nested map. */
export function compileSlot(path: string, rule: FieldRule, context: Context): Slot {
  const applies = compileWhen(rule, context)
  if (rule.is === undefined) return makeSlot({ ...fixedSlot(path, rule), applies, lossy: rule.lossy })
  const field = resolver(context)(rule.is)
  const convert = converterOf(rule, field, context)
  const blank = rule.default
  const derive = rule.derive === undefined ? undefined : compileExpression(rule.derive)
  const taken = convert.type === undefined ? readConverted(field, convert, blank) : readAsIs(field, convert.type, blank)
  // An empty text names no element, and must not stand in the place of one.
  const isUntold = blank === undefined && isElement(rule.is, context)
  const read: Read = isUntold ? (value, fact) => value !== '' && taken(value, fact) : taken
  return makeSlot({
    path,
    field,
    required: rule.required ?? false,
    lossy: rule.lossy,
    applies,
    // Where something would be derived in place of a blank, the blank itself must be kept.
    read: derive === undefined || blank === undefined ? read : (value, fact) => value !== blank && read(value, fact),
    ...(convert.type === 'string' ? integers(field, blank, context.trees) : {}),
    write: convert.type === undefined ? writeConverted(field, convert) : field.get,
    fallback: derive === undefined ? (blank === undefined ? undefined : () => blank) : (fact) => derive(fact) ?? blank,
  })
}

type Read = Slot['read']

function readConverted(field: ModelPath, convert: Converter, blank: unknown): Read {
  return (value, fact) => {
    if (value === blank && blank !== undefined) return true
    const model = convert.read(value)
    if (model === undefined) return false
    field.set(fact, model)
    return true
  }
}

/** Values that are the same on both sides: nearly all of them are. */
function readAsIs(field: ModelPath, type: 'string' | 'boolean', blank: unknown): Read {
  return (value, fact) => {
    if (value === blank) return true
    if (type === 'string' ? typeof value !== 'string' : typeof value !== 'boolean') return false
    field.set(fact, value)
    return true
  }
}

/** Whether a model path is an element of a list. */
function isElement(path: string, { kind, dialect }: Context): boolean {
  return modelPath(kind, path.slice(0, path.lastIndexOf('.')), dialect)?.shape?.list === true
}

/** Some programs write a number of digits alone as an integer. */
function integers(field: ModelPath, blank: unknown, trees: Trees): Pick<Slot, 'readInteger' | 'asInteger'> {
  return {
    readInteger(value, fact) {
      const digits = trees.decimalOf(value)
      if (digits === undefined || digits === blank) return false
      field.set(fact, digits)
      return field.get(fact) === digits
    },
    asInteger: (text) => (typeof text === 'string' ? trees.fromDecimal(text) : undefined),
  }
}

function writeConverted(field: ModelPath, convert: Converter): Slot['write'] {
  return (fact) => {
    const model = field.get(fact)
    return model === undefined ? undefined : convert.write(model)
  }
}

/** A field without a model side: a constant, or a value derived from the fact. */
function fixedSlot(path: string, rule: FieldRule): Pick<Slot, 'path' | 'read' | 'write' | 'settle' | 'fallback'> {
  const { const: fixed, default: blank } = rule
  const derive = rule.derive === undefined ? undefined : compileExpression(rule.derive)
  const base = { path, write: nothing }
  if (derive === undefined) {
    return { ...base, read: (value) => value === fixed, settle: undefined, fallback: () => fixed }
  }
  return {
    ...base,
    read: always,
    settle: (value, fact) => value === (derive(fact) ?? blank),
    fallback: (fact) => derive(fact) ?? blank,
  }
}

function converterOf(rule: FieldRule, field: ModelPath, { file, trees }: Context): Converter {
  if (rule.table !== undefined) return tableConverter(tableRows(file.tables![rule.table]!))
  if (field.space === 'ext' && rule.as === undefined) return { read: (value) => value, write: (model) => model }
  return converter(rule.as ?? defaultConversion(field.shape), field.shape, trees)
}

function compileWhen(rule: FieldRule, context: Context): Slot['applies'] {
  if (rule.when === undefined) return undefined
  const checks = Object.entries(rule.when).map(([path, test]) => ({
    field: resolver(context)(path),
    check: compileTest(test, true),
  }))
  return (fact) => checks.every(({ field, check }) => check(field.get(fact)))
}
