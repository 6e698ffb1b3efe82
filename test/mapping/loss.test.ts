import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openSubjects } from '../../src/cli/loss-subjects.js'
import { SHIPPED_MAPPINGS, shippedMapping } from '../../src/config/index.js'
import { GatewayError } from '../../src/errors.js'
import { compileTest } from '../../src/mapping/conditions.js'
import type { Dialect } from '../../src/mapping/dialect.js'
import { factGenerator, type Random, seededRandom, sourcesOf } from '../../src/mapping/fact-generator.js'
import type { Claim } from '../../src/mapping/loss/claims.js'
import type { Condition } from '../../src/mapping/loss/conditions.js'
import { completeFact, otherParties, probeOf, valueIn, withParties } from '../../src/mapping/loss/probe.js'
import { type FieldLoss, type KindLoss, type LossReport, lossReport } from '../../src/mapping/loss/report.js'
import { fieldsOf } from '../../src/mapping/loss/samples.js'
import { extensionOf, modelPath } from '../../src/mapping/paths.js'
import type { CaseRule, Scalar } from '../../src/mapping/schema.js'
import type { Fact } from '../../src/model/index.js'

/** Facts that each pair of dialects is tried with. */
const FACTS = 2000
/** Facts that are made at most for claims that none of those bore out. */
const MORE_FACTS = 20_000
const seed = process.env.FC_SEED
const RUNS = { numRuns: FACTS, maxSkipsPerRun: 1000, ...(seed === undefined ? {} : { seed: Number(seed) }) }

const opened = openSubjects(SHIPPED_MAPPINGS.map(shippedMapping), {})
if ('faults' in opened) throw new Error('the shipped mappings have faults')
const subjects = new Map(opened.subjects.map((subject) => [subject.file.dialect, subject]))
const names = [...subjects.keys()]
const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => ({ from, to })))

const reports = new Map(
  pairs.map(({ from, to }) => [`${from} ${to}`, lossReport(subjects.get(from)!, subjects.get(to)!)] as const),
)
const reportOf = (from: string, to: string) => reports.get(`${from} ${to}`)!

function passes(where: readonly Condition[] | undefined, fact: Fact): boolean {
  if (where === undefined) return true
  return where.some((each) =>
    Object.entries(each).every(([path, condition]) => compileTest(condition, true)(valueIn(fact, path))),
  )
}

/** The values that a condition names. */
function namedIn(condition: Condition): { field: string; value: Scalar }[] {
  return Object.entries(condition).flatMap(([field, each]) => {
    if (typeof each !== 'object' || each === null) return each === null ? [] : [{ field, value: each }]
    const values = 'any' in each ? each.any : 'not' in each ? [each.not].flat() : []
    return values.filter((value) => value !== null).map((value) => ({ field, value }))
  })
}

/** Facts as a dialect tells them: made up, written, read, and completed like in the gateway. */
function teller({ from, kinds: told }: LossReport) {
  const { file, dialect } = subjects.get(from)!
  const kinds = new Map(told.map((each) => [each.kind, each]))
  const rules = Object.values(file.messages).flatMap((rule) => (rule === null ? [] : [rule]))
  const sayable = rules.filter((rule) => kinds.get(rule.fact)!.said !== 'never')

  const ofChannels = sayable.filter((rule) => rule.fact === 'channel')

  function make(random: Random): Fact {
    // Most claims are about channels, so half of the facts are.
    const rule = random.pick(random.once(10) ? rules : random.once(2) ? ofChannels : sayable)
    const source = random.pick(sourcesOf(rule))
    const cases = Object.values(source.cases).filter((each): each is CaseRule => each !== null && each.only !== 'in')
    const chosen = cases.length === 0 || random.once(8) ? undefined : random.pick(cases)
    const fact = factGenerator(file, rule, random).make(source, chosen)
    const { fields, aside, unsaid } = kinds.get(rule.fact)!
    // A flag may be told beside any case.
    for (const { field } of fields) {
      const { shape, get, set } = modelPath(fact.kind, field.replace(/\.1…$/, '.0'), '')!
      if (shape?.type === 'boolean' && get(fact) === undefined && random.once(4)) set(fact, random.once(2))
    }
    // Values that the report names are not drawn often enough by themselves.
    const named = [...unsaid, ...fields.flatMap(({ claims }) => claims)].flatMap(({ where }) =>
      (where ?? []).flatMap(namedIn),
    )
    for (const field of new Set(named.map((each) => each.field))) {
      const { value } = random.pick(named.filter((each) => each.field === field))
      if (random.once(3)) modelPath(fact.kind, field, '')!.set(fact, value)
    }
    for (const name of aside.names) if (random.once(2)) extensionOf(fact, from)[name] ??= asideOf(fact, name)
    if (fact.kind === 'channel' && fact.flags?.loopback === true && aside.names.includes('name')) nameAsLocal(fact)
    return fact
  }

  /** Asterisk's Local channels are known by their names. */
  function nameAsLocal(fact: Fact): void {
    const kept = extensionOf(fact, from)
    kept.name = 'Local/9@services-00000001;1'
    delete kept.suffix
  }

  const wires = new Map<string, unknown>()

  /** A value of the type that the wire field has. */
  function asideOf(fact: Fact, name: string): unknown {
    const key = `${fact.kind} ${name}`
    // A fact that is refused for another reason says nothing of the field.
    if (wires.get(key) === undefined)
      wires.set(
        key,
        ['b c', 3, true, ['a'], [{ name: 'a' }]].find((each) => isSayable(fact, name, each)),
      )
    return wires.get(key)
  }

  function isSayable(fact: Fact, name: string, value: unknown): boolean {
    try {
      return dialect.encode({ facts: [{ ...fact, ext: { [from]: { [name]: value } } }] }).messages.length > 0
    } catch (error) {
      if (error instanceof GatewayError) return false
      throw error
    }
  }

  const probe = probeOf(subjects.get(from)!, subjects.get(from)!)

  return (random: Random): Fact | undefined => {
    const probed = probe(make(random))
    // What only rides along in a message, its dialect does not tell.
    return 'refused' in probed ? undefined : completeFact(probed.seen)
  }
}

/** What a dialect makes of a fact, and its body; undefined where it does not say it. */
function through(dialect: Dialect, fact: Fact): { readonly back: Fact; readonly body: string } | undefined {
  const [message] = dialect.encode({ facts: [fact] }).messages
  if (message === undefined) return undefined
  const [back] = dialect.decode(message.address, message.body).facts
  return { back: withParties(back!, fact), body: Buffer.from(message.body).toString() }
}

test('every dialect is held against every other', () => {
  expect(pairs).toHaveLength(6)
})

describe.each(pairs)('what patchbay loss says of $from to $to', ({ from, to }) => {
  const report = reportOf(from, to)
  const tell = teller(report)
  const target = subjects.get(to)!.dialect

  test(`holds for ${FACTS} facts`, () => {
    const met = new Set<Claim>()
    let facts = 0
    fc.assert(
      fc.property(fc.nat(), (each) => {
        const fact = tell(seededRandom(each))
        fc.pre(fact !== undefined)
        facts += 1
        hold(fact, met)
      }),
      RUNS,
    )
    expect(facts).toBeGreaterThanOrEqual(FACTS)
    // A claim that no fact bore out says nothing: what survives was seen to, and what is lost was.
    for (let each = 0; each < MORE_FACTS && unmet(met).length > 0; each++) {
      const fact = tell(seededRandom(each))
      if (fact !== undefined && unmet(met).some(({ kind }) => kind === fact.kind)) hold(fact, met)
    }
    expect(unmet(met)).toEqual([])
  })

  function hold(fact: Fact, met: Set<Claim>) {
    const kind = report.kinds.find((known) => known.kind === fact.kind)!
    const isUnsaid = kind.unsaid.some(({ where }) => passes(where, fact))
    const told = through(target, fact)
    expect(told === undefined, 'whether it is said at all').toBe(isUnsaid)
    if (told === undefined) return
    for (const field of kind.fields) holdField(field, fact, told, met)
    holdNothingElse(kind, fact, told.back)
    holdAside(kind, fact, told.back, met)
  }

  const claims = report.kinds
    .filter(({ said }) => said !== 'never')
    .flatMap(({ kind, fields, aside }) => [
      ...fields.flatMap((each) => each.claims.map((claim) => ({ kind, field: each.field, claim }))),
      // Where a dialect keeps nothing aside, nothing is claimed of anything.
      ...(aside.names.length === 0 ? [] : aside.claims.map((claim) => ({ kind, field: 'aside', claim }))),
    ])
  const unmet = (met: ReadonlySet<Claim>) => claims.filter(({ claim }) => !met.has(claim))

  function holdField({ field, claims }: FieldLoss, fact: Fact, told: { back: Fact; body: string }, met: Set<Claim>) {
    const went = valueIn(fact, field)
    if (went === undefined) return
    const due = claims.filter(({ where }) => passes(where, fact))
    expect(due, `claims of ${field}`).not.toEqual([])
    const came = valueIn(told.back, field)
    const fates = new Set(due.map(({ fate }) => fate))
    const bearsOut = (fate: Claim['fate']) => {
      for (const claim of due) if (claim.fate === fate) met.add(claim)
    }
    if (fates.has('approximately')) return bearsOut('approximately')
    if (fates.has('lost')) {
      if (!isDeepStrictEqual(went, came)) bearsOut('lost')
      return
    }
    expect(came, field).toEqual(went)
    for (const claim of due) met.add(claim)
    // What survives is said in words of the target's own.
    if (due.every(({ fate, why }) => fate === 'survives' && why === undefined))
      expect(told.body).not.toContain(`patchbay_${field.replace(/\.(0|1…)$/, '')}":`)
  }

  function holdNothingElse(kind: KindLoss, fact: Fact, back: Fact) {
    const known = new Set(kind.madeUp.map(({ field }) => field))
    for (const { field, claims } of kind.fields)
      if (claims.some(({ fate }) => fate === 'approximately')) known.add(field)
    for (const path of fieldsOf(fact)) {
      if (otherParties(fact.kind, path) !== undefined) continue
      if (valueIn(fact, path) === undefined && !known.has(path)) expect(valueIn(back, path), path).toBeUndefined()
    }
  }

  function holdAside({ aside }: KindLoss, fact: Fact, back: Fact, met: Set<Claim>) {
    const kept = fact.ext?.[from]
    if (kept === undefined) return
    const [claim, ...more] = aside.claims.filter(({ where }) => passes(where, fact))
    expect(more).toEqual([])
    expect(back.ext?.[from]).toEqual(claim?.fate === 'rides along' ? kept : undefined)
    if (claim !== undefined) met.add(claim)
  }
})
