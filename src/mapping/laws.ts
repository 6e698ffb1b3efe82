import { isDeepStrictEqual } from 'node:util'
import type { YamlPath } from '../config/index.js'
import { GatewayError } from '../errors.js'
import type { Fact } from '../model/index.js'
import { compileTest } from './conditions.js'
import type { Dialect } from './dialect.js'
import {
  factGenerator,
  longForm,
  pathsOf,
  type Random,
  type Source,
  seededRandom,
  sourcesOf,
} from './fact-generator.js'
import { modelPath, modelPaths } from './paths.js'
import type { CaseRule, MappingFile, MessageRule } from './schema.js'

/** A rule that does not give back what went in, and does not say so. */
export interface Breach {
  /** Place of the rule in the mapping file. */
  readonly path: YamlPath
  readonly what: string
  /** The smallest fact found that shows it. */
  readonly counterexample: Fact
}

/** How a message fared. */
export interface LawResult {
  readonly message: string
  readonly facts: number
  readonly breaches: readonly Breach[]
}

/** Facts made for each part and case of a message. */
const FACTS_EACH = 25

/**
 * Holds a mapping to its laws with generated facts: `decode(encode(f)) = f` on the mapped fields,
 * and `encode(decode(w)) = w` for what was written. One breach for each rule.
 */
export function checkLaws(file: MappingFile, dialect: Dialect, seed: number): LawResult[] {
  return Object.entries(file.messages).flatMap(([name, rule]) =>
    rule === null ? [] : [checkMessage(file, dialect, name, rule, seededRandom(seed))],
  )
}

function checkMessage(file: MappingFile, dialect: Dialect, name: string, rule: MessageRule, random: Random): LawResult {
  const breaches = new Map<string, Breach>()
  let facts = 0
  const { make } = factGenerator(file, rule, random)
  for (const source of sourcesOf(rule)) {
    const judge = judgeOf({ file, dialect, name, rule, source })
    const writers = Object.values(source.cases).filter((each): each is CaseRule => each !== null && each.only !== 'in')
    for (const chosen of writers.length === 0 ? [undefined] : writers) {
      for (let i = 0; i < FACTS_EACH; i++) {
        facts += 1
        const fact = make(source, chosen)
        const breach = judge(fact)
        const key = JSON.stringify(breach?.path)
        if (breach !== undefined && !breaches.has(key)) breaches.set(key, shrink(fact, breach, judge, file.dialect))
      }
    }
  }
  return { message: name, facts, breaches: [...breaches.values()] }
}

type Judge = (fact: Fact) => Breach | undefined

interface Subject {
  readonly file: MappingFile
  readonly dialect: Dialect
  readonly name: string
  readonly rule: MessageRule
  readonly source: Source
}

/** What holds for one part of a message: which rule answers for which model field, and what is excused. */
function judgeOf({ file, dialect, name, rule, source }: Subject): Judge {
  const base: YamlPath = ['messages', name, ...source.at]
  const fields = Object.entries(source.fields).flatMap(([wire, each]) => {
    const long = longForm(each)
    return long === undefined ? [] : pathsOf(long).map((is) => ({ wire, long, is }))
  })
  const excused = new Set(
    fields.map(({ is }) => is).filter((is) => fields.every((each) => each.is !== is || each.long.lossy !== undefined)),
  )
  const cases = Object.entries(source.cases).flatMap(([key, each]) => (each === null ? [] : [{ key, rule: each }]))
  const caseFields = new Set(
    cases.flatMap((each) => [...Object.keys(each.rule.model), ...Object.keys(each.rule.implies ?? {})]),
  )
  const optional = new Set(
    fields
      .filter(({ long }) => long.derive !== undefined || long.or !== undefined || long.default !== undefined)
      .map(({ is }) => is),
  )
  const inferred = [rule.infer, rule.item?.infer].flatMap((all) =>
    Object.values(all ?? {}).flatMap((each) => [...Object.keys(each?.model ?? {}), ...Object.keys(each?.lookup ?? {})]),
  )
  const isCarried = (rule.carry ?? rule.item?.carry) !== undefined
  const field = (path: string) => modelPath(rule.fact, path, file.dialect)!
  const fits = (fact: Fact, tests: CaseRule['model']) =>
    Object.entries(tests).every(([path, test]) => compileTest(test, true)(field(path).get(fact)))
  const writerOf = (fact: Fact) => cases.find((each) => each.rule.only !== 'in' && fits(fact, each.rule.model))

  /** Model fields that need not come back for this fact. */
  function excusedFor(fact: Fact): Set<string> {
    const out = new Set(excused)
    for (const { is, long } of fields) if (long.when !== undefined && !fits(fact, long.when)) out.add(is)
    const writer = writerOf(fact)
    if (cases.length > 0 && writer === undefined) for (const path of caseFields) out.add(path)
    if (writer?.rule.lossy === undefined) return out
    for (const path of caseFields) out.add(path)
    for (const key of Object.keys(writer.rule.wire)) for (const { wire, is } of fields) if (wire === key) out.add(is)
    return out
  }

  function placeOf(path: string, fact: Fact): YamlPath {
    const said = fields.find(({ is }) => is === path) ?? fields.find(({ is }) => is.startsWith(`${path}.`))
    const writer = writerOf(fact)
    if (writer !== undefined && (caseFields.has(path) || said === undefined)) return [...base, 'cases', writer.key]
    if (said !== undefined) return [...base, 'fields', said.wire]
    return rule.words === undefined ? ['messages', name] : [...base]
  }

  return (fact) => {
    const breach = (path: YamlPath, what: string): Breach => ({ path, what, counterexample: structuredClone(fact) })
    let written: ReturnType<Dialect['encode']>
    try {
      written = dialect.encode({ facts: [fact] })
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      return breach(['messages', name], `a fact it should tell cannot be written: ${error.message}`)
    }
    const [message] = written.messages
    // Another message of the dialect may come first and say the fact in other words.
    if (message === undefined || message.rule !== name) return undefined
    let read: ReturnType<Dialect['decode']>
    try {
      read = dialect.decode(message.address, message.body)
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      return breach(['messages', name], `what was written cannot be read: ${error.message}`)
    }
    const { facts, ext } = read
    const [back] = facts
    if (facts.length !== 1 || back === undefined)
      return breach(['messages', name], `one fact was written, and ${facts.length} were read back`)
    const lost = firstDifference(fact, back, excusedFor(fact), new Set([...optional, ...caseFields, ...inferred]))
    if (lost !== undefined) return breach(placeOf(lost.path, fact), lost.what)
    const again = dialect.encode({ facts, ext }).messages
    if (again.length === 1 && isDeepStrictEqual(again[0]!.body, message.body)) return undefined
    return breach(['messages', name], 'what was written differs from what it is written as after it was read')
  }

  function firstDifference(fact: Fact, back: Fact, excuses: ReadonlySet<string>, mayAppear: ReadonlySet<string>) {
    for (const path of [...modelPaths(rule.fact)]) {
      if (isExcused(path, excuses)) continue
      const went = field(path).get(fact)
      const came = field(path).get(back)
      if (isDeepStrictEqual(went, came)) continue
      const isMapped = went !== undefined && (isCarried || isSaid(path))
      const isNew = went === undefined && !isExcused(path, mayAppear) && path !== 'full'
      if (isMapped || isNew) return { path, what: `${path} was ${show(went)} and came back as ${show(came)}` }
    }
    return undefined
  }

  function isSaid(path: string): boolean {
    if (path in source.set || caseFields.has(path)) return true
    if (rule.words !== undefined) return rule.words.is === path || (rule.words.args ?? []).includes(path)
    return fields.some(({ is }) => is === path)
  }
}

/** A list is excused with its elements, a map with its entries. */
function isExcused(path: string, excuses: ReadonlySet<string>): boolean {
  if (excuses.has(path)) return true
  for (const each of excuses) if (each.startsWith(`${path}.`)) return true
  return false
}

function show(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value)
}

/** Takes away whatever the breach does not need. */
function shrink(fact: Fact, breach: Breach, judge: Judge, dialect: string): Breach {
  let smallest = breach
  let current = structuredClone(fact)
  for (const path of modelPaths(fact.kind)) {
    const field = modelPath(fact.kind, path, dialect)!
    if (field.get(current) === undefined) continue
    const smaller = structuredClone(current)
    field.set(smaller, undefined)
    const still = judge(smaller)
    if (still === undefined || JSON.stringify(still.path) !== JSON.stringify(breach.path)) continue
    smallest = still
    current = smaller
  }
  return { ...smallest, counterexample: tidy(smallest.counterexample) }
}

/** The fact without members that are undefined or empty. */
function tidy(fact: Fact): Fact {
  const bag = JSON.parse(JSON.stringify(fact)) as Record<string, unknown>
  for (const [key, value] of Object.entries(bag)) {
    if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) delete bag[key]
  }
  return bag as unknown as Fact // the same fact, less what was empty
}
