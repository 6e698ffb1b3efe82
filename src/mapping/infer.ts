import type { Fact } from '../model/index.js'
import { tableConverter, tableRows } from './converters.js'
import type { ModelPath } from './paths.js'
import type { InferRules, MappingFile } from './schema.js'
import { compileWireTests, type IndexOf } from './slots.js'

/** What can be told of the model from a wire map without being said in it. */
export interface Inference {
  /** Model fields it may set. */
  readonly fields: readonly ModelPath[]
  /** Sets those that nothing else told; `values` are those at the numbered wire keys. */
  apply(values: readonly unknown[], fact: Fact): void
  /** What a reader would infer for the field at `index`. */
  guess(index: number, values: readonly unknown[], fact: Fact): unknown
}

interface Hint {
  readonly fits: ((values: readonly unknown[]) => boolean) | undefined
  guess(values: readonly unknown[], fact: Fact): unknown
}

/** A field that is inferred otherwise than by a rule of its own: one that is only read under a condition. */
export interface Conditional {
  readonly field: ModelPath
  /** What a reader of these wire values takes for it. */
  guess(values: readonly unknown[]): unknown
}

/** Compiles inferences. */
export function compileInference(
  rules: InferRules,
  conditionals: readonly Conditional[],
  resolve: (path: string) => ModelPath,
  indexOf: IndexOf,
  file: MappingFile,
): Inference {
  const fields: ModelPath[] = []
  const hints: Hint[][] = []
  const add = (field: ModelPath, hint: Hint) => {
    let at = fields.findIndex((each) => each.path === field.path)
    if (at < 0) at = fields.push(field) - 1
    hints[at] = [...(hints[at] ?? []), hint]
  }
  for (const rule of Object.values(rules)) {
    if (rule === null) continue
    const fits = rule.wire === undefined ? undefined : compileWireTests(rule.wire, indexOf)
    for (const [path, value] of Object.entries(rule.model ?? {})) add(resolve(path), { fits, guess: () => value })
    for (const [path, { of, table }] of Object.entries(rule.lookup ?? {})) {
      const { read } = tableConverter(tableRows(file.tables?.[table] ?? {}))
      const from = resolve(of)
      add(resolve(path), { fits, guess: (_, fact) => read(from.get(fact)) })
    }
  }
  const ruled = fields.length
  for (const { field, guess } of conditionals) add(field, { fits: undefined, guess })

  function guess(index: number, values: readonly unknown[], fact: Fact): unknown {
    const found = hints[index]!
    for (let i = 0; i < found.length; i++) {
      const { fits, guess } = found[i]!
      if (fits !== undefined && !fits(values)) continue
      const value = guess(values, fact)
      if (value !== undefined) return value
    }
    return undefined
  }

  return {
    fields,
    apply(values, fact) {
      for (let i = 0; i < ruled; i++) {
        const field = fields[i]!
        if (field.get(fact) !== undefined) continue
        const value = guess(i, values, fact)
        if (value !== undefined) field.set(fact, value)
      }
    },
    guess,
  }
}
