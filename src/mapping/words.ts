import type { Fact } from '../model/index.js'
import { tableConverter, tableRows } from './converters.js'
import { type Bag, extensionOf } from './paths.js'
import type { WordsRule } from './schema.js'
import { type Context, compileSlot, resolver, type Slot, setAside, writeTyped } from './slots.js'

/** Ways a word and its arguments can be put on the wire. `map-scalar`: `{msg: word, args: arg}`, its one argument in no list. */
type Form = 'text' | 'scalar' | 'list' | 'map' | 'map-scalar'

interface Taken {
  readonly word: unknown
  readonly args: readonly unknown[]
  readonly form: Form
}

/** A body that is the bare word itself, not a document of the codec. */
export interface BareText {
  readonly bareText: string
}

/** Messages that are one word, perhaps with arguments. */
export interface WordMessages {
  /** Whether the body is one of the words, without reading it into a fact. */
  fits(root: unknown): boolean
  read(root: unknown, fact: Fact, bare: boolean): void
  /** Undefined when the table has no word for the fact. */
  write(fact: Fact): unknown | BareText
}

/** Compiles a word rule. */
export function compileWords(rule: WordsRule, context: Context): WordMessages {
  const { trees, dialect, file } = context
  const table = tableConverter(tableRows(file.tables![rule.table]!))
  const word = resolver(context)(rule.is)
  const args = (rule.args ?? []).map((path, i) => compileSlot(`args.${i}`, { is: path }, context))

  function take(root: unknown): Taken | undefined {
    if (typeof root === 'string') return { word: root, args: [], form: 'scalar' }
    if (Array.isArray(root)) return { word: root[0], args: root.slice(1), form: 'list' }
    if (!trees.isMap(root) || !trees.keys(root).every((key) => key === 'msg' || key === 'args')) return undefined
    const word = trees.get(root, 'msg')
    const found = trees.get(root, 'args') ?? []
    if (Array.isArray(found)) return { word, args: found, form: 'map' }
    return trees.isMap(found) ? undefined : { word, args: [found], form: 'map-scalar' }
  }

  function writeArg(slot: Slot, fact: Fact, bag: Bag | undefined): unknown {
    const types = bag?.$types as Bag | undefined
    const value = types === undefined ? slot.write(fact) : writeTyped(slot, fact, types)
    return value !== undefined ? value : (bag?.$raw as Bag | undefined)?.[slot.path]
  }

  const usualForm = (count: number): Form => (count > 0 ? rule.withArgs : rule.bare)

  return {
    fits(root) {
      const taken = take(root)
      return taken !== undefined && table.read(taken.word) !== undefined && taken.args.length <= args.length
    },
    read(root, fact, bare) {
      const taken = take(root)!
      word.set(fact, table.read(taken.word))
      const form = bare && taken.form === 'scalar' ? 'text' : taken.form
      const aside = () => extensionOf(fact, dialect)
      for (const [i, value] of taken.args.entries()) {
        if (!args[i]!.read(value, fact)) setAside(args[i]!, value, fact, aside)
      }
      if (form !== usualForm(taken.args.length)) aside().$form = form
    },
    write(fact) {
      const text = table.write(word.get(fact))
      if (typeof text !== 'string') return undefined
      const bag = fact.ext?.[dialect]
      const values = args.map((slot) => writeArg(slot, fact, bag)).filter((value) => value !== undefined)
      const form = (bag?.$form as Form | undefined) ?? usualForm(values.length)
      if (form === 'map' || form === 'map-scalar') {
        if (values.length === 0) return trees.map(undefined, ['msg'], [text])
        const isOne = form === 'map-scalar' && values.length === 1
        return trees.map(undefined, ['msg', 'args'], [text, isOne ? values[0] : values])
      }
      if (form === 'list' || values.length > 0) return [text, ...values]
      return form === 'text' ? { bareText: text } : text
    },
  }
}
