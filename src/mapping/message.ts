import type { Document, Trees } from '../codecs/codec.js'
import { GatewayError } from '../errors.js'
import type { Fact, Scope } from '../model/index.js'
import { compileTemplate, type Template } from './address.js'
import { carriedCase, compileCarrier, sayableValues } from './carry.js'
import { type Cases, compileCases } from './cases.js'
import { type Batch, columnRows, elementRows, type FixedFields, freshFact, hasFixed, type Rows } from './elements.js'
import { formFields } from './forms.js'
import type { Inference } from './infer.js'
import type { CarryPlace } from './level.js'
import { fitsMatch, isChoice, isCondition } from './match.js'
import { type Bag, extensionOf, type ModelPath } from './paths.js'
import type { ElementRule, FieldRule, FieldRules, MappingFile, MessageRule } from './schema.js'
import { type CarryAt, compileShape, type Shape } from './shape.js'
import { shareAgain, sharedPlaces } from './sharing.js'
import { type Context, compileSlot, resolver, type Slot } from './slots.js'
import { type BareText, compileWords, type WordMessages } from './words.js'

/** Address of a frame, in the words of its wire. */
export type Address = Readonly<Record<string, string>>

/** What one wire message said. */
export interface DecodedMessage {
  /** Rule that read it. */
  readonly rule: string
  readonly facts: Fact[]
  /** What it said beside its facts; nothing when empty. */
  readonly ext: Bag
  /** Set when it is the full picture of something. */
  readonly full: Scope | undefined
  /** The dialect's own messages are others: this one was only taken so that nothing is lost. */
  readonly isUnknown?: boolean | undefined
}

/** What is to be written as one message. */
export interface Utterance {
  readonly facts: readonly Fact[]
  readonly ext?: Bag | undefined
}

/** A message before its codec writes it. */
export interface Written {
  readonly address: Address
  readonly root: unknown
  /** The body is this text and no document. */
  readonly bareText?: string
}

/** One compiled message rule. */
export interface Message {
  readonly name: string
  readonly rule: MessageRule
  /** Tells one fact per message, or several. */
  readonly many: boolean
  readonly addresses: ReadonlyMap<string, Template>
  fitsAddress(address: Address): boolean
  fitsContent(root: unknown): boolean
  decode(document: Document, address: Address | undefined, bare: boolean): DecodedMessage
  canSay(fact: Fact): boolean
  /** Whether two facts may stand in one message. */
  together(a: Fact, b: Fact): boolean
  encode(utterance: Utterance): Written
  /** Model paths it says in its own words, and those its cases are about. */
  readonly says: ReadonlySet<string>
}

/** Model path of a fact's own time. */
const AT = 'at'

/** Types of other dialects' values, for extensions that ride along. */
export type TreesOf = (dialect: string) => Trees | undefined

/** Compiles one message rule that check has accepted. */
export function compileMessage(
  name: string,
  rule: MessageRule,
  file: MappingFile,
  trees: Trees,
  treesOf: TreesOf,
): Message {
  const { dialect } = file
  const context: Context = { file, dialect, trees, kind: rule.fact }
  const resolve = resolver(context)
  const fixed = fixedFields(rule.set, resolve)
  const make = () => freshFact(rule.fact, fixed)
  const addresses = new Map(Object.entries(rule.address).map(([key, text]) => [key, compileTemplate(text, resolve)]))
  const matches = Object.entries(rule.match ?? {}).map(([path, asked]) => ({ steps: path.split('.'), asked }))
  const rootSteps = rule.root?.split('.') ?? []
  const batch: Batch = { facts: [] }
  const covered = coveredPaths(rule, addresses, fixed)
  const cases = rule.cases === undefined ? undefined : compileCases(rule.cases, resolve)
  const rows = compileRows(rule, context, make, batch, carryPlace)
  const many = rows.length > 0
  const words = rule.words === undefined ? undefined : compileWords(rule.words, context)
  const parts = rows.flatMap((each) => each.slots)
  const place = { root: rootSteps, match: rule.match ?? {}, dialect }
  const shape = compileShape(
    {
      fields: { ...matchedFields(rule), ...rule.fields },
      cases,
      parts,
      infer: rule.infer,
      carry: carryPlace(rule, rootSteps, cases),
      place,
      mustSay: rule.mustSay,
    },
    context,
  )
  const shared = many ? sharedFields(shape) : []
  // Facts of one picture may have been told at different times.
  const common = many ? [...shared, ...addressFields(addresses)].filter(({ path }) => path !== AT) : []
  const choices = choicesOf(rule, shape)

  function carryPlace(part: ElementRule, at: readonly string[], partCases: Cases | undefined): CarryAt | undefined {
    const { carry } = part
    if (carry === undefined) return undefined
    const rest = part.rest === undefined ? undefined : resolve(part.rest)
    const writer = trees.writer(rule.match ?? {}, [...at, ...carry.at.split('.')])
    const sayable = sayableValues(part.fields, file)
    return (inference: Inference, slots: readonly Slot[]): CarryPlace => {
      const formed = formedPaths(rule, addresses, slots)
      const made = { prefix: carry.prefix, rest, covered, sayable, formed, inference, treesOf, writer }
      return { at: carry.at, carrier: compileCarrier(made, partCases, context) }
    }
  }

  const hintIn = rule.carry && carriedCase(rule.carry, trees)
  const templates = [...addresses].map(([key, template]) => ({ key, template }))
  const fixedAddress: Address = Object.freeze(
    Object.fromEntries(
      templates.flatMap(({ key, template: { fixed } }) => (fixed === undefined ? [] : [[key, fixed]])),
    ),
  )
  const outside = matches.filter(
    ({ steps, asked }) => !isCondition(asked) && !rootSteps.every((key, i) => steps[i] === key),
  )
  const variable = templates.filter(({ template }) => template.fixed === undefined)
  const baseOf = (root: unknown) =>
    rootSteps.reduce((value, key) => (trees.isMap(value) ? trees.get(value, key) : undefined), root)

  function decode(document: Document, address: Address | undefined, bare: boolean): DecodedMessage {
    const base = baseOf(document.root)
    const ext: Bag = {}
    const facts = words !== undefined ? decodeWord(words, base, bare) : many ? decodeMany(base, ext) : [decodeOne(base)]
    if (address !== undefined) {
      for (const fact of facts) readAddress(fact, address)
      if (facts.length === 0 && rule.anywhere && !fitsAddress(address)) noteAddress(ext, address)
    }
    const full = rule.full !== undefined && isFull(facts, ext) ? rule.full : undefined
    if (document.shared.size > 0) {
      const places = sharedPlaces(document.root, document.shared, trees)
      if (places.length > 0) ext.$shared = places
    }
    return { rule: name, facts, ext, full, isUnknown: rule.unknown }
  }

  function decodeWord(all: WordMessages, base: unknown, bare: boolean): Fact[] {
    const fact = make()
    all.read(base, fact, bare)
    return [fact]
  }

  function decodeOne(base: unknown): Fact {
    const fact = make()
    shape.read(base, fact, () => extensionOf(fact, dialect), hintIn?.(base))
    return fact
  }

  function decodeMany(base: unknown, ext: Bag): Fact[] {
    for (const each of rows) each.collect()
    const whole = make()
    shape.read(base, whole, () => ext)
    const facts = rows.length === 1 ? rows[0]!.collect() : rows.flatMap((each) => each.collect())
    for (let i = 0; i < shared.length; i++) {
      const field = shared[i]!
      const value = field.get(whole)
      if (value === undefined) continue
      for (const fact of facts) field.set(fact, value)
      if (facts.length === 0) {
        ext.$set ??= {}
        ;(ext.$set as Bag)[field.path] = value
      }
    }
    if (facts.length === 0) ext.$name = name
    return facts
  }

  function isFull(facts: readonly Fact[], ext: Bag): boolean {
    if (facts.length > 0) return facts[0]!.full === true
    return rule.set?.full === true || (ext.$set as Bag | undefined)?.full === true
  }

  function readAddress(fact: Fact, address: Address): void {
    for (let i = 0; i < variable.length; i++) {
      const { key, template } = variable[i]!
      const text = address[key]
      if (text !== undefined) template.read(text, fact)
    }
    if (rule.anywhere && !fitsAddress(address)) noteAddress(extensionOf(fact, dialect), address)
  }

  function noteAddress(bag: Bag, address: Address): void {
    const { reply: _, ...given } = address
    bag.$address = given
  }

  function fitsAddress(address: Address): boolean {
    for (let i = 0; i < templates.length; i++) {
      const { key, template } = templates[i]!
      const text = address[key]
      if (text === undefined || !(template.fixed !== undefined ? template.fixed === text : template.matches(text)))
        return false
    }
    return true
  }

  function fitsContent(root: unknown): boolean {
    for (const { steps, asked } of matches) {
      const found = steps.reduce((each: unknown, key) => (trees.isMap(each) ? trees.get(each, key) : undefined), root)
      if (!fitsMatch(asked, found)) return false
    }
    const base = baseOf(root)
    if (words !== undefined) return words.fits(base)
    if (!trees.isMap(base) || trees.classOf(base) !== rule.class) return false
    return !many || rows.some((each) => each.slots.some((slot) => trees.get(base, slot.path) !== undefined))
  }

  function canSay(fact: Fact): boolean {
    if (fact.kind !== rule.fact || !hasFixed(fact, fixed)) return false
    if (words !== undefined) return words.write(fact) !== undefined
    for (let i = 0; i < choices.length; i++) if (!choices[i]!(fact)) return false
    if (many) return rows.some((each) => each.canSay(fact))
    return shape.hasRequired(fact) && (!rule.mustSay || shape.canSay(fact, fact.ext?.[dialect]))
  }

  function encode({ facts, ext }: Utterance): Written {
    const first = facts[0] ?? emptyFact(ext)
    const written = words?.write(first) as BareText | undefined
    const address = writeAddress(first)
    if (written !== undefined)
      return bareOf(written) === undefined
        ? { address, root: written }
        : { address, root: undefined, bareText: bareOf(written)! }
    batch.facts = facts as Fact[]
    const kept = many ? ext : first.ext?.[dialect]
    const base = shape.write(first, kept, rule.class)
    batch.facts = []
    const root = wrap(base)
    const groups = (many ? ext?.$shared : undefined) as number[][][] | undefined
    if (groups !== undefined) shareAgain(root, groups, trees)
    return { address, root }
  }

  /** Stands for the message's own fields when it has no facts. */
  function emptyFact(ext: Bag | undefined): Fact {
    const fact = make()
    for (const [path, value] of Object.entries((ext?.$set as Bag | undefined) ?? {})) resolve(path).set(fact, value)
    if (ext?.$address !== undefined) extensionOf(fact, dialect).$address = ext.$address
    return fact
  }

  function writeAddress(fact: Fact): Address {
    const odd = fact.ext?.[dialect]?.$address as Address | undefined
    if (odd !== undefined) return odd
    if (variable.length === 0) return fixedAddress
    const out: Record<string, string> = { ...fixedAddress }
    for (let i = 0; i < variable.length; i++) {
      const { key, template } = variable[i]!
      const text = template.write(fact)
      if (text === undefined)
        throw new GatewayError('mapping.unsayable', `${dialect}: ${name} has no ${key} for this fact`)
      out[key] = text
    }
    return out
  }

  function wrap(base: unknown): unknown {
    if (rootSteps.length === 0) return base
    const root = nest(rootSteps, base)
    for (let i = 0; i < outside.length; i++) put(root, outside[i]!.steps, outside[i]!.asked)
    return root
  }

  function nest(steps: readonly string[], value: unknown): unknown {
    return steps.reduceRight((inner, key) => trees.map(undefined, [key], [inner]), value)
  }

  /** Matched values outside the fields (an envelope's method) are put back here; the others are fields themselves. */
  function put(root: unknown, steps: readonly string[], value: unknown): void {
    if (steps.length === 1) trees.set(root, steps[0]!, value)
    else {
      const inner = trees.get(root, steps[0]!)
      if (trees.isMap(inner)) put(inner, steps.slice(1), value)
      else trees.set(root, steps[0]!, nest(steps.slice(1), value))
    }
  }

  return {
    name,
    rule,
    many,
    addresses,
    fitsAddress,
    fitsContent,
    decode,
    canSay,
    together: (a, b) => many && common.every((field) => field.get(a) === field.get(b)),
    encode,
    says: new Set([...covered, ...(cases?.fields.map((field) => field.path) ?? [])]),
  }
}

function bareOf(written: unknown): string | undefined {
  return typeof written === 'object' && written !== null && 'bareText' in written ? String(written.bareText) : undefined
}

function fixedFields(set: MessageRule['set'], resolve: (path: string) => ModelPath): FixedFields {
  return Object.entries(set ?? {}).map(([path, value]) => ({ field: resolve(path), value: value ?? undefined }))
}

/** Wire values inside the fields' map that tell the message from others, as constant fields. */
function matchedFields(rule: MessageRule): Record<string, FieldRule> {
  const prefix = rule.root === undefined ? '' : `${rule.root}.`
  return Object.fromEntries(
    Object.entries(rule.match ?? {}).flatMap(([path, asked]) =>
      path.startsWith(prefix) && !isCondition(asked) ? [[path.slice(prefix.length), { const: asked }]] : [],
    ),
  )
}

/** For each of several values that a message is told by: whether what a fact gives there is one of them. */
function choicesOf(rule: MessageRule, { slots }: Shape): ((fact: Fact) => boolean)[] {
  const prefix = rule.root === undefined ? '' : `${rule.root}.`
  return Object.entries(rule.match ?? {}).flatMap(([path, asked]) => {
    const slot = slots.find((each) => prefix + each.path === path)
    return isChoice(asked) && slot !== undefined ? [(fact: Fact) => fitsMatch(asked, slot.write(fact))] : []
  })
}

function addressFields(addresses: ReadonlyMap<string, Template>): ModelPath[] {
  return [...addresses.values()].flatMap(({ fields }) => fields)
}

/** Model fields that the message says once for all its facts. */
function sharedFields(shape: Shape): ModelPath[] {
  const fields = shape.slots.flatMap((slot) => (slot.field === undefined ? [] : [slot.field]))
  return [...fields, ...(shape.cases?.fields ?? [])]
}

type CarryMaker = (part: ElementRule, at: readonly string[], cases: Cases | undefined) => CarryAt | undefined

function compileRows(
  rule: MessageRule,
  context: Context,
  make: () => Fact,
  batch: Batch,
  carryPlace: CarryMaker,
): Rows[] {
  const { trees, dialect } = context
  if (rule.each !== undefined) {
    const item: ElementRule = rule.item ?? {}
    const cases: Cases | undefined = item.cases === undefined ? undefined : compileCases(item.cases, resolver(context))
    const at = [...(rule.root?.split('.') ?? []), rule.each]
    const shape = compileShape(
      { fields: item.fields, cases, infer: item.infer, carry: carryPlace(item, at, cases), mustSay: item.mustSay },
      context,
    )
    return [
      elementRows({
        path: rule.each,
        carry: item.carry,
        className: item.class,
        shape,
        mustSay: item.mustSay ?? false,
        make,
        batch,
        trees,
        dialect,
      }),
    ]
  }
  return Object.values(rule.columns ?? {}).map((columns) => {
    const fixed = fixedFields(columns.set, resolver(context))
    const slots = Object.entries(columns.fields).flatMap(([path, field]) =>
      field === null ? [] : [compileSlot(path, typeof field === 'string' ? { is: field } : field, context)],
    )
    const makeRow = () => {
      const fact = make()
      for (const { field, value } of fixed) field.set(fact, value)
      return fact
    }
    return columnRows(slots, fixed, makeRow, batch, dialect)
  })
}

/** Model paths that fields, fixed values and addresses say. */
function coveredPaths(rule: MessageRule, addresses: ReadonlyMap<string, Template>, fixed: FixedFields): Set<string> {
  const covered = new Set(fixed.map(({ field }) => field.path))
  const lists = [rule.fields, rule.item?.fields, ...Object.values(rule.columns ?? {}).map((each) => each.fields)]
  for (const fields of lists) for (const path of saidByFields(fields)) covered.add(path)
  for (const field of addressFields(addresses)) covered.add(field.path)
  return covered
}

/** Model paths that only texts of several fields say, each with the slots of these: not every fact makes such a text. */
function formedPaths(
  rule: MessageRule,
  addresses: ReadonlyMap<string, Template>,
  slots: readonly Slot[],
): Map<string, Slot[]> {
  const lists = [rule.fields, rule.item?.fields, ...Object.values(rule.columns ?? {}).map((each) => each.fields)]
  const rules = lists.flatMap((fields) => Object.entries(fields ?? {}))
  const plain = new Set([...Object.keys(rule.set ?? {}), ...addressFields(addresses).map(({ path }) => path)])
  const found = new Map<string, Slot[]>()
  for (const [wire, field] of rules) {
    if (typeof field === 'string') plain.add(field)
    else if (field?.is !== undefined && field.if === undefined) plain.add(field.is)
    const slot = slots.find(({ path, says }) => path === wire && says !== undefined)
    if (slot === undefined || typeof field !== 'object' || field === null) continue
    for (const { path } of [field.form ?? []].flat().flatMap(formFields))
      found.set(path, [...(found.get(path) ?? []), slot])
  }
  for (const path of plain) found.delete(path)
  return found
}

/** Model paths that fields say whatever else the message holds. */
function saidByFields(fields: FieldRules | undefined): string[] {
  return Object.values(fields ?? {}).flatMap((field) => {
    if (typeof field === 'string') return [field]
    if (field?.form !== undefined)
      return [field.form].flat().flatMap((form) => formFields(form).map(({ path }) => path))
    return field?.is === undefined || field.if !== undefined ? [] : [field.is]
  })
}
