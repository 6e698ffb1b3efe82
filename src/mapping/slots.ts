import type { Trees } from '../codecs/codec.js'
import type { Fact, FactKind } from '../model/index.js'
import { compileTest } from './conditions.js'
import { type Converter, converter, defaultConversion, tableConverter, tableRows } from './converters.js'
import { compileExpression } from './expression.js'
import { compileForm } from './forms.js'
import { type Bag, type ModelPath, modelPath } from './paths.js'
import { type Residue, section } from './residue.js'
import type { FieldRule, MappingFile, SubstituteRule, Test } from './schema.js'

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
  /** Takes a wire value into the fact; false when the model could not take it. */
  read(value: unknown, fact: Fact): boolean
  /**
   * Called when the whole map was read, for fields that depend on others: false keeps the very value aside.
   * `values` are those at the wire keys that the shape has tests for.
   */
  settle: ((value: unknown, fact: Fact, values: readonly unknown[]) => Settled) | undefined
  /** Which values are to be settled, where `read` can take the others at once; absent: all. */
  isLate: ((value: unknown) => boolean) | undefined
  /** Takes a value of another form than it writes, where `read` took nothing; answers a note of the form. Absent: never does. */
  readNoted: ((value: unknown, fact: Fact) => string | undefined) | undefined
  /** The reverse: what is written for a fact whose residue has that note, undefined when it cannot be. */
  writeNoted: ((fact: Fact, note: string) => unknown) | undefined
  /** The wire value of what the model says, or undefined. */
  write(fact: Fact): unknown
  /** What stands there when the model says nothing and nothing was kept aside; absent: nothing ever does. */
  fallback: ((fact: Fact) => unknown) | undefined
  /** Whether it is written at all for a fact; absent: always. */
  applies: ((fact: Fact) => boolean) | undefined
  /** For a text of several model fields: whether what is written for a fact tells this one of them. Absent: as `write` does. */
  says: ((fact: Fact, field: ModelPath) => boolean) | undefined
  /** Its model side is an `ext` field. */
  readonly fromAside: boolean
}

/** `unread`: it is meant, but `read` did not take it; another form of it may be. */
export type Settled = boolean | 'unread'

const always = () => true
const nothing = () => undefined

/** Makes a slot. Every slot is made here, so that all of them look alike to the engine that runs us. */
export function makeSlot(parts: Pick<Slot, 'path' | 'read' | 'write'> & Partial<Slot>): Slot {
  const { path, field, required = false, read, settle, isLate, readNoted, writeNoted, write } = parts
  const { fallback, applies, says } = parts
  const fromAside = field?.space === 'ext'
  const reading = { read, settle, isLate, readNoted, writeNoted }
  return { path, field, required, ...reading, write, fallback, applies, says, fromAside }
}

const INTEGER = 'int'

/** Keeps what a slot's `read` did not take: a note of its form where the model has all the rest, else the value. */
export function setAside(slot: Slot, value: unknown, fact: Fact, residue: Residue): void {
  const note = slot.readNoted?.(value, fact)
  if (note !== undefined) section(residue, '$types')[slot.path] = note
  else keepRaw(slot, value, residue)
}

/** Keeps what a slot took for something else than its field: it must not get there in another form, either. */
export function keepRaw({ path }: Slot, value: unknown, residue: Residue): void {
  section(residue, '$raw')[path] = value
}

/** What a slot writes for a fact whose residue notes types. */
export function writeTyped(slot: Slot, fact: Fact, types: Bag): unknown {
  const value = slot.write(fact)
  const note = types[slot.path]
  if (value === undefined || typeof note !== 'string') return value
  return slot.writeNoted?.(fact, note) ?? value
}

/** Resolves a model path that check has already accepted. */
export function resolver(context: Context): (path: string) => ModelPath {
  return (path) => {
    const found = modelPath(context.kind, path, context.dialect)
    if (found === undefined) throw new Error(`unchecked model path ${path} of ${context.kind}`)
    return found
  }
}

/** Where wire keys that rules have tests for are numbered. */
export type IndexOf = (key: string) => number

const noKeys: IndexOf = (key) => {
  throw new Error(`no place for a test of ${key}`)
}

/** Compiles one field rule that is not a nested map. `indexOf` is asked for the wire keys of its tests. */
export function compileSlot(path: string, rule: FieldRule, context: Context, indexOf: IndexOf = noKeys): Slot {
  const resolve = resolver(context)
  const shared = { path, applies: compileWhen(rule.when, resolve) }
  if (rule.form !== undefined) return makeSlot({ ...formSlot(path, rule, context), ...shared })
  if (rule.is === undefined)
    return makeSlot({ ...whereApplied(fixedSlot(path, rule, context), shared.applies), ...shared })
  const field = resolve(rule.is)
  const convert = converterOf(rule, field, context)
  const blank = rule.default
  const taken = convert.type === undefined ? readConverted(field, convert, blank) : readAsIs(field, convert.type, blank)
  // An empty text names no element, and must not stand in the place of one.
  const isUntold = blank === undefined && isElement(rule.is, context)
  const read: Read = isUntold ? (value, fact) => value !== '' && taken(value, fact) : taken
  const noted = notedBy(convert, field, blank, context.trees)
  const write = convert.type === undefined ? writeConverted(field, convert) : field.get
  const fallback = fallbackOf(rule, context)
  const base = { ...shared, ...noted, field, required: rule.required ?? false, write, fallback }
  if (rule.if !== undefined) return makeSlot({ ...base, ...conditional(rule, read, write, resolve, indexOf) })
  // Where something would be derived in place of a blank, the blank itself must be kept.
  if (rule.derive !== undefined && blank !== undefined)
    return makeSlot({ ...base, read: (value, fact) => value !== blank && read(value, fact) })
  if (rule.or === undefined || blank === undefined) return makeSlot({ ...base, read })
  const settle = settleSubstituted(field, read, blank, fallback!)
  // A word of a table may stand for several: whether it is the one meant shows at the end.
  const isLate = rule.table === undefined ? { isLate: (value: unknown) => isBlank(value, blank) } : {}
  return makeSlot({ ...base, read, settle, ...isLate })
}

/** What would be written in any case need not be kept: neither a blank nor anything else. */
function settleSubstituted(
  field: ModelPath,
  read: Read,
  blank: unknown,
  substitute: (fact: Fact) => unknown,
): Slot['settle'] {
  return (value, fact) => {
    if (isBlank(value, blank)) return isBlank(substitute(fact), blank)
    // Something else has said it: what rides along knows better than a word that stands for several.
    const isUntold = field.get(fact) === undefined
    if (isUntold && read(value, fact)) return true
    return value === substitute(fact) || (isUntold && 'unread')
  }
}

/** What stands there when the model says nothing; undefined where nothing ever does. */
function fallbackOf(rule: FieldRule, context: Context): Slot['fallback'] {
  const { default: blank } = rule
  const made = Array.isArray(blank) ? () => [] : () => blank
  const derive = rule.derive === undefined ? undefined : compileExpression(rule.derive)
  const or = rule.or === undefined ? undefined : compileSubstitutes(rule.or, rule, context)
  if (or !== undefined) return (fact) => or(fact) ?? derive?.(fact) ?? made()
  if (derive !== undefined) return (fact) => derive(fact) ?? blank
  return blank === undefined ? undefined : made
}

type Substitute = (fact: Fact) => unknown

function compileSubstitutes(rules: readonly SubstituteRule[], rule: FieldRule, context: Context): Substitute {
  const resolve = resolver(context)
  const all = rules.map((each): Substitute => {
    const { is, form, table, value, when } = typeof each === 'string' ? { is: each } : each
    const passes = compileWhen(when, resolve)
    if (is !== undefined) {
      const write = writeConverted(resolve(is), converterOf({ as: rule.as, table }, resolve(is), context))
      if (passes === undefined) return write
      return (fact) => {
        const found = write(fact)
        return found !== undefined && passes(fact) ? found : undefined
      }
    }
    const write: Substitute = form === undefined ? () => value : compileForm(form, resolve, context.file).write
    return passes === undefined ? write : (fact) => (passes(fact) ? write(fact) : undefined)
  })
  return (fact) => {
    for (let i = 0; i < all.length; i++) {
      const value = all[i]!(fact)
      if (value !== undefined) return value
    }
    return undefined
  }
}

/** A field whose value means the model field only where other wire fields pass. */
function conditional(
  rule: FieldRule,
  read: Read,
  write: Slot['write'],
  resolve: (path: string) => ModelPath,
  indexOf: IndexOf,
): Pick<Slot, 'read' | 'settle' | 'write'> {
  const other = rule.else === undefined ? undefined : resolve(rule.else)
  const passes = compileWireTests(rule.if!, indexOf)
  const blank = rule.default
  return {
    read,
    settle(value, fact, values) {
      if (blank !== undefined && isBlank(value, blank)) return true
      if (passes(values)) return read(value, fact) || 'unread'
      if (other === undefined || value === null) return false
      other.set(fact, value)
      return true
    },
    write: other === undefined ? write : (fact) => other.get(fact) ?? write(fact),
  }
}

/** Tests of wire values by the number of their key. */
export function compileWireTests(
  tests: Readonly<Record<string, Test>>,
  indexOf: IndexOf,
): (values: readonly unknown[]) => boolean {
  const checks = Object.entries(tests).map(([key, test]) => ({ at: indexOf(key), check: compileTest(test, false) }))
  return (values) => {
    for (let i = 0; i < checks.length; i++) if (!checks[i]!.check(values[checks[i]!.at])) return false
    return true
  }
}

function formSlot(
  path: string,
  rule: FieldRule,
  context: Context,
): Omit<Pick<Slot, 'path' | 'read' | 'write'> & Partial<Slot>, 'applies'> {
  const resolve = resolver(context)
  const sources = typeof rule.form === 'string' ? [rule.form] : rule.form!
  const forms = sources.map((source) => compileForm(source, resolve, context.file))
  const blank = rule.default
  const [only, ...others] = new Set(forms.flatMap((form) => form.fields.map((field) => field.path)))
  const fallback = fallbackOf(rule, context)
  const applies = compileWhen(rule.when, resolve)
  const readForms = (text: string, fact: Fact) => forms.some((form) => form.read(text, fact))
  return {
    path,
    ...(others.length === 0 && { field: resolve(only!) }),
    required: rule.required ?? false,
    read(value, fact) {
      if (typeof value !== 'string') return false
      return readForms(value, fact) || (blank !== undefined && isBlank(value, blank))
    },
    write(fact) {
      for (let i = 0; i < forms.length; i++) {
        const text = forms[i]!.write(fact)
        if (text !== undefined) return text
      }
      return undefined
    },
    says(fact, field) {
      if (applies !== undefined && !applies(fact)) return false
      for (let i = 0; i < forms.length; i++)
        if (forms[i]!.write(fact) !== undefined) return forms[i]!.fields.some((each) => each.path === field.path)
      if ((fact.ext?.[context.dialect]?.$raw as Bag | undefined)?.[path] !== undefined) return false
      // Whatever stands there instead says what a reader takes from it.
      const text = fallback?.(fact)
      const seen = { kind: context.kind } as Fact // read by path alone
      return typeof text === 'string' && readForms(text, seen) && field.get(seen) === field.get(fact)
    },
    fallback,
  }
}

/** Whether a value is the one that stands for "not told"; every empty list is alike. */
function isBlank(value: unknown, blank: unknown): boolean {
  return Array.isArray(blank) ? Array.isArray(value) && value.length === 0 : value === blank
}

type Read = Slot['read']

function readConverted(field: ModelPath, convert: Converter, blank: unknown): Read {
  // A conversion of lists takes the empty one as well; elsewhere it is as good as none.
  const skips =
    blank !== undefined && !(Array.isArray(blank) && convert.read([]) !== undefined && field.space === 'model')
  return (value, fact) => {
    if (skips && isBlank(value, blank)) return true
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

function notedBy(
  convert: Converter,
  field: ModelPath,
  blank: unknown,
  trees: Trees,
): Pick<Slot, 'readNoted' | 'writeNoted'> {
  if (convert.type === 'string') return integers(field, blank, trees)
  const { noted } = convert
  if (noted === undefined) return { readNoted: undefined, writeNoted: undefined }
  // What says "not told" says so in every form.
  const untold = blank === undefined ? undefined : convert.read(blank)
  return {
    readNoted(value, fact) {
      const found = noted.read(value)
      if (found === undefined || found.model === untold) return undefined
      field.set(fact, found.model)
      return found.note
    },
    writeNoted: (fact, note) => noted.write(field.get(fact), note),
  }
}

/** Some programs write a number of digits alone as an integer. */
function integers(field: ModelPath, blank: unknown, trees: Trees): Pick<Slot, 'readNoted' | 'writeNoted'> {
  return {
    readNoted(value, fact) {
      const digits = trees.decimalOf(value)
      if (digits === undefined || digits === blank) return undefined
      field.set(fact, digits)
      return field.get(fact) === digits ? INTEGER : undefined
    },
    writeNoted(fact, note) {
      const text = field.get(fact)
      return note === INTEGER && typeof text === 'string' ? trees.fromDecimal(text) : undefined
    },
  }
}

function writeConverted(field: ModelPath, convert: Converter): Slot['write'] {
  return (fact) => {
    const model = field.get(fact)
    return model === undefined ? undefined : convert.write(model)
  }
}

/** A field without a model side: a constant, or a value made of other fields. */
function fixedSlot(
  path: string,
  rule: FieldRule,
  context: Context,
): Pick<Slot, 'path' | 'read' | 'write' | 'settle' | 'fallback'> {
  const { const: fixed } = rule
  const base = { path, write: nothing }
  const fallback = fallbackOf(rule, context)
  if (isDropped(rule)) return { ...base, read: always, settle: undefined, fallback: undefined }
  if (fixed !== undefined || fallback === undefined)
    return { ...base, read: (value) => value === fixed, settle: undefined, fallback: () => fixed }
  const settle: Slot['settle'] = (value, fact) => value === fallback(fact)
  return { ...base, read: always, settle, fallback }
}

/** Whether a field says no more than why its value goes no further: then it is not kept aside, either. */
export function isDropped(rule: FieldRule): boolean {
  return rule.lossy !== undefined && Object.keys(rule).length === 1
}

/** A value that is not written for a fact must be kept, though it is the one that is written for others. */
function whereApplied(slot: ReturnType<typeof fixedSlot>, applies: Slot['applies']): ReturnType<typeof fixedSlot> {
  if (applies === undefined) return slot
  const { read, settle = read } = slot
  return { ...slot, settle: (value, fact, values) => applies(fact) && settle(value, fact, values) }
}

function converterOf(rule: Pick<FieldRule, 'table' | 'as'>, field: ModelPath, { file, trees }: Context): Converter {
  if (rule.table !== undefined) return tableConverter(tableRows(file.tables![rule.table]!))
  if (field.space === 'ext' && rule.as === undefined) return { read: (value) => value, write: (model) => model }
  return converter(rule.as ?? defaultConversion(field.shape), field.shape, trees)
}

function compileWhen(when: FieldRule['when'], resolve: (path: string) => ModelPath): Slot['applies'] {
  if (when === undefined) return undefined
  const checks = Object.entries(when).map(([path, test]) => ({
    field: resolve(path),
    check: compileTest(test, true),
  }))
  return (fact) => {
    for (let i = 0; i < checks.length; i++) if (!checks[i]!.check(checks[i]!.field.get(fact))) return false
    return true
  }
}
