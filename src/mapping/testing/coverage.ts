import type { Trees } from '../../codecs/codec.js'
import type { Fault, YamlPath } from '../../config/index.js'
import { carriedCase } from '../carry.js'
import { type Cases, compileCases } from '../cases.js'
import type { Dialect } from '../dialect.js'
import type { LoadedMapping } from '../load.js'
import { modelPath } from '../paths.js'
import type { MessageRule } from '../schema.js'
import type { CaseTrace } from './run-case.js'

/** Keeps account of the messages and cases of a mapping that tests have come to. */
export interface Coverage {
  /** Takes a test into account; answers whether a case it came to says that it loses something. */
  take(trace: CaseTrace): boolean
  /** A fault for each message and case that no test came to, of those that the file itself has. */
  faults(): Fault[]
}

interface Subject {
  readonly rule: MessageRule
  /** Cases of the message's own map and of its elements, with their key in the rule. */
  readonly parts: readonly { readonly at: readonly string[]; readonly cases: Cases }[]
}

/** An account with nothing tested. */
export function coverageOf({ file, source, own, origin }: LoadedMapping, dialect: Dialect): Coverage {
  const { trees } = dialect.codec
  const hits = new Set<string>()
  const subjects = new Map<string, Subject>()
  for (const [name, rule] of Object.entries(file.messages)) {
    if (rule !== null) subjects.set(name, { rule, parts: partsOf(rule, file.dialect) })
  }
  // A case of a part stands for all the messages that use it.
  const nameOf = (...path: string[]) => JSON.stringify(origin(['messages', ...path]))
  const hit = (...path: string[]) => void hits.add(nameOf(...path))

  return {
    take({ read, written }) {
      let isLossy = false
      if (read !== undefined) {
        hit(read.rule)
        const { rule, parts } = subjects.get(read.rule)!
        const base = valueAt(read.root, rule.root, trees)
        for (const { at, cases } of parts) {
          for (const map of at.length > 1 ? elementsOf(base, rule, trees) : [base]) {
            const carry = at.length > 1 ? rule.item?.carry : rule.carry
            const hint = carry && carriedCase(carry, trees)(map)
            const found = cases.reading(
              cases.keys.map((key) => valueAt(map, key, trees)),
              hint,
            )
            if (found === undefined) continue
            hit(read.rule, ...at, found.name)
            isLossy ||= found.lossy !== undefined
          }
        }
      }
      if (written === undefined) return isLossy
      hit(written.rule)
      for (const { at, cases } of subjects.get(written.rule)!.parts) {
        for (const fact of written.facts) {
          const found = cases.writing(fact)
          if (found !== undefined) hit(written.rule, ...at, found.name)
        }
      }
      return isLossy
    },
    faults() {
      const right = 'add a test for it, or run with --allow-untested'
      const faults: Fault[] = []
      for (const [name, { parts }] of subjects) {
        if (!hits.has(nameOf(name)) && isOwn(own, ['messages', name]))
          faults.push(
            source.fault(['messages', name], 'mapping.test', `no test comes to the message ${name}`, right, 'key'),
          )
        for (const { at, cases } of parts) {
          for (const { name: key } of cases.all) {
            const path = ['messages', name, ...at, key]
            if (hits.has(nameOf(name, ...at, key)) || !isOwn(own, origin(path))) continue
            faults.push(source.fault(path, 'mapping.test', `no test comes to the case ${key} of ${name}`, right, 'key'))
          }
        }
      }
      return faults
    },
  }
}

function partsOf(rule: MessageRule, dialect: string): Subject['parts'] {
  const resolve = (path: string) => modelPath(rule.fact, path, dialect)!
  const parts = [
    { at: ['cases'], rules: rule.cases },
    { at: ['item', 'cases'], rules: rule.item?.cases },
  ]
  return parts.flatMap(({ at, rules }) => (rules === undefined ? [] : [{ at, cases: compileCases(rules, resolve) }]))
}

function valueAt(root: unknown, path: string | undefined, trees: Trees): unknown {
  if (path === undefined) return root
  return path.split('.').reduce((value, key) => (trees.isMap(value) ? trees.get(value, key) : undefined), root)
}

function elementsOf(base: unknown, { each }: MessageRule, trees: Trees): readonly unknown[] {
  const list = valueAt(base, each, trees)
  return Array.isArray(list) ? list : []
}

function isOwn(own: unknown, path: YamlPath): boolean {
  let at = own
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !(step in at)) return false
    at = (at as Record<string, unknown>)[step]
  }
  return at !== null
}
