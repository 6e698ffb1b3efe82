import type { Fact } from '../model/index.js'
import { tableConverter, tableRows } from './converters.js'
import { extensionOf } from './paths.js'
import type { WordsRule } from './schema.js'
import { type Context, resolver } from './slots.js'

/** Ways a word and its arguments can be put on the wire. */
type Form = 'text' | 'scalar' | 'list' | 'map'

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
  const args = (rule.args ?? []).map(resolver(context))

  function take(root: unknown): { word: unknown; args: unknown[]; form: Form } | undefined {
    if (typeof root === 'string') return { word: root, args: [], form: 'scalar' }
    if (Array.isArray(root)) return { word: root[0], args: root.slice(1), form: 'list' }
    if (!trees.isMap(root)) return undefined
    const found = trees.get(root, 'args')
    const list = found === undefined || found === null ? [] : found
    const known = trees.keys(root).every((key) => key === 'msg' || key === 'args')
    return known && Array.isArray(list) ? { word: trees.get(root, 'msg'), args: list, form: 'map' } : undefined
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
        if (typeof value === 'string') args[i]!.set(fact, value)
        else aside().$args = taken.args
      }
      if (form !== usualForm(taken.args.length)) aside().$form = form
    },
    write(fact) {
      const text = table.write(word.get(fact))
      if (typeof text !== 'string') return undefined
      const bag = fact.ext?.[dialect]
      const kept = bag?.$args as unknown[] | undefined
      const told = args.map((field) => field.get(fact))
      const values = told
        .map((value, i) => (value !== undefined ? value : kept?.[i]))
        .filter((value) => value !== undefined)
      const form = (bag?.$form as Form | undefined) ?? usualForm(values.length)
      if (form === 'map') {
        return values.length === 0
          ? trees.map(undefined, ['msg'], [text])
          : trees.map(undefined, ['msg', 'args'], [text, values])
      }
      if (form === 'list' || values.length > 0) return [text, ...values]
      return form === 'text' ? { bareText: text } : text
    },
  }
}
