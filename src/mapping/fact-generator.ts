import { FACT_SHAPES, type Fact, type FactKind, type FieldShape } from '../model/index.js'
import { compileTest, exactValue } from './conditions.js'
import { tableRows } from './converters.js'
import { formFields } from './forms.js'
import { type Bag, type ModelPath, modelPath, setOwn } from './paths.js'
import type { CaseRule, FieldRule, FieldRules, MappingFile, MessageRule, Scalar, Test } from './schema.js'

/** A source of numbers: the same seed gives the same sequence everywhere. */
export interface Random {
  /** A whole number from 0 up to `count`, exclusive. */
  below(count: number): number
  pick<T>(items: readonly T[]): T
  /** True once in `times`. */
  once(times: number): boolean
}

/** Mulberry32: small, and even enough to choose test values by. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const below = (count: number) => Math.floor(next() * count)
  return { below, pick: (items) => items[below(items.length)]!, once: (times) => below(times) === 0 }
}

/** Where the fields of a fact come from in one message: the message's own map, its elements, or one set of columns. */
export interface Source {
  /** Path of the part in the mapping file, below the message. */
  readonly at: readonly string[]
  readonly fields: FieldRules
  readonly cases: Readonly<Record<string, CaseRule | null>>
  readonly set: Readonly<Record<string, Scalar>>
}

/** The parts of a message that facts are told in; each generated fact belongs to one. */
export function sourcesOf(rule: MessageRule): Source[] {
  const set = rule.set ?? {}
  if (rule.words !== undefined) return [{ at: ['words'], fields: {}, cases: {}, set }]
  if (rule.each !== undefined)
    return [{ at: ['item'], fields: rule.item?.fields ?? {}, cases: rule.item?.cases ?? {}, set }]
  if (rule.columns !== undefined) {
    return Object.entries(rule.columns).map(([name, columns]) => ({
      at: ['columns', name],
      fields: columns.fields,
      cases: {},
      set: { ...set, ...columns.set },
    }))
  }
  return [{ at: [], fields: rule.fields ?? {}, cases: rule.cases ?? {}, set }]
}

/** A field rule in its long form; nothing for fields of cases and removed ones. */
export function longForm(rule: FieldRules[string]): FieldRule | undefined {
  if (rule === null || rule === 'cases') return undefined
  return typeof rule === 'string' ? { is: rule } : rule
}

/** Model fields that a field says. */
export function pathsOf(rule: FieldRule | undefined): string[] {
  if (rule?.form !== undefined) return [rule.form].flat().flatMap((form) => formFields(form).map(({ path }) => path))
  return rule?.is === undefined ? [] : [rule.is]
}

/** Texts that YAML, JSON and careless programs trip over, and ordinary ones. */
const TEXTS = [
  '1004',
  '0008',
  '12e3',
  'Ann',
  'José',
  '张伟',
  '\u{1F600}',
  'a b',
  " it's",
  'say "hi"',
  'x: y',
  '- z',
  '#1',
  '*98',
  'no',
  'true',
  'null',
  '~',
  '1.5',
  '12:30',
  '2026-01-01',
  '{a}',
  '[b]',
  'two\nlines',
  'tab\t',
  '\u00a0',
  '!x',
  'a,b',
  '__proto__',
] // prettier-ignore
/** Texts that may be a part of an address. */
const PLAIN_TEXTS = ['1004', 'app-1', 'f4908713', 'Desk_2']

/** Makes facts of a message for the laws. */
export function factGenerator(file: MappingFile, rule: MessageRule, random: Random) {
  const kind: FactKind = rule.fact
  const shapes: Readonly<Record<string, FieldShape>> = FACT_SHAPES[kind]
  const addressFields = new Set(
    Object.values(rule.address).flatMap((text) => [...text.matchAll(/\{([\w.]+)\}/g)].map(([, name]) => name!)),
  )
  const field = (path: string) => modelPath(kind, path, file.dialect)

  /** A fact that the part can tell; with `chosen` one that this case is about. */
  function make(source: Source, chosen: CaseRule | undefined): Fact {
    const fact = { kind } as Fact
    for (const [path, value] of Object.entries(source.set)) if (value !== null) field(path)!.set(fact, value)
    if (rule.words !== undefined) makeWords(fact)
    const byCases = new Set(Object.values(source.cases).flatMap((each) => Object.keys(each?.model ?? {})))
    const implied = new Set(Object.values(source.cases).flatMap((each) => Object.keys(each?.implies ?? {})))
    for (const each of Object.values(source.fields)) {
      const long = longForm(each)
      if (long?.form !== undefined) fillForm(fact, long)
      if (long?.is === undefined || byCases.has(long.is) || implied.has(long.is)) continue
      if (long.required || isEssential(long.is) || !random.once(3)) fill(fact, long)
    }
    for (const path of addressFields) if (random.once(2)) field(path)?.set(fact, random.pick(PLAIN_TEXTS))
    if ((rule.carry ?? rule.item?.carry) !== undefined) fillCarried(fact, source, new Set([...byCases, ...implied]))
    for (const [path, test] of Object.entries(chosen?.model ?? {})) satisfy(fact, path, test)
    return fact
  }

  /** The model fields of a form, in which no separator may stand. */
  function fillForm(fact: Fact, { form, required }: FieldRule): void {
    for (const { path } of [form ?? []].flat().flatMap(formFields)) {
      const target = field(path)!
      if (target.space === 'model' && (required || isEssential(path) || !random.once(3)))
        target.set(fact, random.pick(PLAIN_TEXTS))
    }
  }

  const isEssential = (path: string) => ['id', 'serial', 'channel', 'name', 'digit'].includes(path)

  function makeWords(fact: Fact): void {
    const { table, is, args = [] } = rule.words!
    field(is)!.set(fact, random.pick(tableRows(file.tables![table]!))[1])
    if (random.once(2)) for (const arg of args) field(arg)!.set(fact, random.pick(TEXTS))
  }

  function fill(fact: Fact, { is, table, default: blank }: FieldRule): void {
    const target = field(is!)!
    if (target.space === 'ext') return
    const value = table === undefined ? sampleOf(target) : random.pick(tableRows(file.tables![table]!))[1]
    // What stands for "not told" on the wire cannot be told by it.
    if (value !== null && value !== blank) target.set(fact, value)
  }

  /** Model fields without a rule: they ride along, and must come back all the same. */
  function fillCarried(fact: Fact, source: Source, except: ReadonlySet<string>): void {
    const said = new Set(Object.values(source.fields).flatMap((each) => pathsOf(longForm(each))))
    for (const path of Object.keys(shapes)) {
      if (said.has(path) || except.has(path) || addressFields.has(path) || path in source.set || !random.once(4))
        continue
      if (field(path)!.get(fact) === undefined) field(path)!.set(fact, sampleOf(field(path)!))
    }
  }

  function satisfy(fact: Fact, path: string, test: Test): void {
    const target = field(path)!
    const exact = exactValue(test)
    if (exact !== undefined) {
      target.set(fact, exact ?? undefined)
      return
    }
    const check = compileTest(test, true)
    if (check(target.get(fact))) return
    const any = typeof test === 'object' && test !== null && 'any' in test ? test.any : []
    const candidates: unknown[] = [undefined, ...any, ...Array.from({ length: 20 }, () => sampleOf(target))]
    target.set(fact, candidates.find(check))
  }

  function sampleOf({ path, shape }: ModelPath): unknown {
    if (shape === undefined) return random.pick(TEXTS)
    if (shape.list) return Array.from({ length: 1 + random.below(3) }, () => scalarOf(path, shape))
    if (!shape.map) return scalarOf(path, shape)
    const map: Bag = {}
    for (let i = random.below(3); i >= 0; i--)
      setOwn(map, random.pick(['dept', 'sip_call_id', 'x y', '__proto__']), scalarOf(path, shape))
    return map
  }

  function scalarOf(path: string, { type, values }: FieldShape): unknown {
    switch (type) {
      case 'boolean':
        return random.once(2)
      case 'enum':
        return random.pick(values!)
      case 'uint32':
        return random.below(500_000)
      case 'double':
        return random.below(1000) / 8
      case 'int64':
      case 'number':
        // Moments lie between 2001 and 2033, lengths below twelve days, session numbers anywhere up to 2^53.
        if (path.startsWith('times.')) return 1_000_000_000_000 + random.below(1_000_000_000_000)
        return path === 'session' ? random.below(2 ** 53) : random.below(1_000_000_000)
      default:
        return random.pick(addressFields.has(path) ? PLAIN_TEXTS : TEXTS)
    }
  }

  return { make }
}
