import type { Trees } from '../codecs/codec.js'
import { GatewayError } from '../errors.js'
import { FACT_ACCESS, type Fact, type FactKind } from '../model/index.js'
import { carriedCase } from './carry.js'
import { type Bag, extensionOf, type ModelPath } from './paths.js'
import type { CarryRules, Scalar } from './schema.js'
import type { Shape } from './shape.js'
import { makeSlot, type Slot, setAside, writeTyped } from './slots.js'

/** The facts of the message being read or written. Filled and emptied by the message rule. */
export interface Batch {
  facts: Fact[]
}

/** Fixed model values: set when reading, required when writing. Undefined: the field must be absent. */
export type FixedFields = readonly { readonly field: ModelPath; readonly value: Scalar | undefined }[]

/** What turns wire lists into facts and facts into wire lists. */
export interface Rows {
  /** The lists as slots of the message's own map. */
  readonly slots: readonly Slot[]
  /** Whether these rows can say the fact. */
  canSay(fact: Fact): boolean
  /** Facts of the lists just read, in order. */
  collect(): Fact[]
}

/** Makes a fact of a kind with its fixed fields. */
export function freshFact(kind: FactKind, fixed: FixedFields): Fact {
  const fact = FACT_ACCESS[kind].blank() as unknown as Fact
  for (const { field, value } of fixed) if (value !== undefined) field.set(fact, value)
  return fact
}

/** Whether a fact has the fixed fields. */
export function hasFixed(fact: Fact, fixed: FixedFields): boolean {
  return fixed.every(({ field, value }) => field.get(fact) === value)
}

/**
 * Whether a value that stands for facts is a list; nil stands for none.
 * @throws GatewayError mapping.message for any other value: the facts it was to tell would be lost unseen
 */
function isList(value: unknown, path: string, dialect: string): value is unknown[] {
  if (Array.isArray(value)) return true
  if (value === null) return false
  const what = `${dialect}: ${path} is ${described(value)}`
  throw new GatewayError('mapping.message', `${what}; it must be a list, nil or left out`)
}

/** Characters of a text that a message to people quotes. */
const MAX_SHOWN = 40

function described(value: unknown): string {
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, MAX_SHOWN))}`
  return typeof value === 'object' ? 'a mapping or an object' : `${typeof value} ${value}`
}

/** What a list of elements is made of. */
export interface ElementList {
  readonly path: string
  readonly className: string | undefined
  readonly shape: Shape
  readonly mustSay: boolean
  readonly carry: CarryRules | undefined
  readonly make: () => Fact
  readonly batch: Batch
  readonly trees: Trees
  readonly dialect: string
}

/** One list whose elements are maps, each a fact. */
export function elementRows(list: ElementList): Rows {
  const { path, className, shape, mustSay, carry, make, batch, trees, dialect } = list
  let found: Fact[] = []
  const kept = (fact: Fact) => fact.ext?.[dialect]
  const hintIn = carry && carriedCase(carry, trees)
  const slot = makeSlot({
    path,
    read(value) {
      found = []
      if (!isList(value, path, dialect)) return false
      for (let i = 0; i < value.length; i++) found.push(readElement(value[i], i))
      return true
    },
    write: () => (batch.facts.length === 0 ? undefined : batch.facts.map(writeElement)),
    fallback: () => [],
  })

  function readElement(element: unknown, at: number): Fact {
    if (!trees.isMap(element))
      throw new GatewayError('mapping.message', `${dialect}: ${path}.${at} is no mapping; each element must be one`)
    const fact = make()
    shape.read(element, fact, () => extensionOf(fact, dialect), hintIn?.(element))
    const given = trees.classOf(element)
    if (given !== className) extensionOf(fact, dialect).$class = given ?? null
    return fact
  }

  function writeElement(fact: Fact): unknown {
    const bag = kept(fact)
    const other = bag?.$class
    return shape.write(fact, bag, other === undefined ? className : ((other ?? undefined) as string | undefined))
  }

  return {
    slots: [slot],
    canSay: (fact) => shape.hasRequired(fact) && (!mustSay || shape.canSay(fact, kept(fact))),
    collect() {
      const facts = found
      found = []
      return facts
    },
  }
}

/** Lists read side by side: the first decides how many rows there are, each row is a fact. */
export function columnRows(
  columns: readonly Slot[],
  fixed: FixedFields,
  make: () => Fact,
  batch: Batch,
  dialect: string,
): Rows {
  let rows: Fact[] = []
  const mine = (fact: Fact) => hasFixed(fact, fixed)

  function columnSlot(column: Slot, isFirst: boolean): Slot {
    const told = (fact: Fact): unknown => {
      const bag = fact.ext?.[dialect]
      const types = bag?.$types as Bag | undefined
      const value = types === undefined ? column.write(fact) : writeTyped(column, fact, types)
      return value !== undefined ? value : (bag?.$raw as Bag | undefined)?.[column.path]
    }
    const cell = (fact: Fact): unknown => {
      const value = told(fact)
      return value !== undefined ? value : (column.fallback?.(fact) ?? null)
    }
    const cells = (): unknown[] => batch.facts.filter(mine).map(cell)
    const fill = (value: unknown): boolean => {
      if (!isList(value, column.path, dialect) || value.length !== rows.length) return false
      for (const [i, each] of value.entries()) {
        const fact = rows[i]!
        if (!column.read(each, fact)) setAside(column, each, fact, () => extensionOf(fact, dialect))
      }
      return true
    }
    return makeSlot({
      path: column.path,
      applies: column.applies,
      read(value) {
        rows = Array.isArray(value) ? value.map(make) : []
        return fill(value)
      },
      // The first column says how many rows there are, wherever it stands in the message.
      settle: isFirst ? undefined : fill,
      // A list that no fact has anything for is not said by the model, though it may stand there.
      write: () => (batch.facts.some((fact) => mine(fact) && told(fact) !== undefined) ? cells() : undefined),
      fallback: cells,
    })
  }

  return {
    slots: columns.map((column, i) => columnSlot(column, i === 0)),
    canSay: mine,
    collect() {
      const facts = rows
      rows = []
      return facts
    },
  }
}
