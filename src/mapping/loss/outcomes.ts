import { compileTest } from '../conditions.js'
import type { CaseRule, Test } from '../schema.js'
import type { Assignment } from './situations.js'
import { isAside, type Telling } from './tellings.js'

/** How a fact is written. */
export interface Told {
  readonly telling: Telling
  readonly chosen: { readonly name: string; readonly rule: CaseRule } | undefined
}

/** What becomes of a fact: the telling and the case that write it, or why none does. */
export type Outcome = Told | { readonly unsaid: string }

/** Which telling writes a fact, going by nothing but what it holds where rules ask. */
export function outcomeOf(tellings: readonly Telling[], fact: Assignment): Outcome {
  const wants: Want[] = []
  for (const telling of tellings) {
    const want = unmet(telling, fact)
    if (want !== undefined) wants.push(want)
    else {
      const chosen = telling.cases.find(({ rule }) => rule.only !== 'in' && passes(rule.model, fact))
      if (chosen !== undefined || !telling.mustSay) return { telling, chosen }
      wants.push({ path: undefined, text: 'no case says it', met: Number.POSITIVE_INFINITY })
    }
  }
  return { unsaid: whyUnsaid(wants) }
}

/** What a telling asks for and a fact does not have. */
interface Want {
  /** Undefined: `text` is all there is to say. */
  readonly path: string | undefined
  readonly text: string
  /** How much of what the telling asks for the fact does have. */
  readonly met: number
}

function unmet({ set, word, fields, inAddress }: Telling, fact: Assignment): Want | undefined {
  const fixed = Object.entries(set)
  const wrong = fixed.filter(([path, value]) => fact.get(path) !== value)
  const met = fixed.length - wrong.length
  // What a dialect keeps aside for itself no other dialect has.
  const [first] = wrong.some(([path]) => isAside(path)) ? wrong.filter(([path]) => isAside(path)) : wrong
  if (first !== undefined)
    return { path: first[0], text: String(first[1]), met: isAside(first[0]) ? -1 : met - wrong.length }
  if (word !== undefined && !(word.values as readonly unknown[]).includes(fact.get(word.is)))
    return { path: word.is, text: word.values.join(' or '), met }
  const needed = [
    ...fields.flatMap(({ says, rule }) => (rule.required ? says : [])),
    ...[...inAddress].flatMap(([path, { mandatory }]) => (mandatory ? [path] : [])),
  ]
  const missing = needed.find((path) => fact.get(path) === undefined)
  return missing === undefined ? undefined : { path: missing, text: '', met: fixed.length }
}

/** The reason of those that came nearest to saying it. */
function whyUnsaid(wants: readonly Want[]): string {
  const most = Math.max(...wants.map(({ met }) => met))
  const byPath = new Map<string | undefined, Set<string>>()
  for (const { path, text, met } of wants)
    if (met === most) byPath.set(path, new Set([...(byPath.get(path) ?? []), text]))
  const parts = [...byPath].map(([path, texts]) => {
    if (path === undefined) return [...texts].join(', ')
    const known = [...texts].filter(Boolean).join(' or ')
    return known === '' ? `it needs ${path}` : `it knows ${path} ${known} only`
  })
  return parts.join('; ')
}

/** Whether a fact passes tests on model fields. */
export function passes(tests: Readonly<Record<string, Test>>, fact: Assignment): boolean {
  return Object.entries(tests).every(([path, test]) => compileTest(test, true)(fact.get(path)))
}
