import type { YamlPath } from '../config/index.js'
import { type Checker, checkValue } from './check.js'
import { compileTest, exactValue } from './conditions.js'
import type { CaseRule, MessageRule, Test } from './schema.js'

type Tests = Readonly<Record<string, Test>>

/** Faults of the cases of one map: unknown fields, impossible values, cases that nothing can reach. */
export function checkCases(
  cases: MessageRule['cases'],
  fields: MessageRule['fields'],
  path: YamlPath,
  checker: Checker,
): void {
  const before: { name: string; rule: CaseRule }[] = []
  for (const [name, rule] of Object.entries(cases ?? {})) {
    if (rule === null) continue
    const at = [...path, name]
    for (const [model, test] of Object.entries(rule.model)) {
      const field = checker.field([...at, 'model', model], model, 'key')
      const value = exactValue(test)
      if (value !== undefined) checkValue(field, value, [...at, 'model', model], checker)
    }
    for (const [model, value] of Object.entries(rule.implies ?? {})) {
      checkValue(checker.field([...at, 'implies', model], model, 'key'), value, [...at, 'implies', model], checker)
    }
    checkReach(name, rule, before, at, checker)
    before.push({ name, rule })
  }
  checkOwnership(cases, fields, path, checker)
}

function checkReach(
  name: string,
  rule: CaseRule,
  before: readonly { name: string; rule: CaseRule }[],
  path: YamlPath,
  { fault }: Checker,
): void {
  const reader = before.find((each) => each.rule.only !== 'out' && covers(each.rule.wire, rule.wire, false))
  if (rule.only !== 'out' && rule.lossy === undefined && reader !== undefined) {
    fault(
      path,
      'mapping.dead-rule',
      `reading never comes to ${name}: ${reader.name} takes all it would take`,
      'put it first, make it `only: out`, or say `lossy`',
      'key',
    )
  }
  const writer = before.find((each) => each.rule.only !== 'in' && covers(each.rule.model, rule.model, true))
  if (rule.only !== 'in' && writer !== undefined) {
    fault(
      path,
      'mapping.dead-rule',
      `writing never comes to ${name}: ${writer.name} says all it would say`,
      'put it first, or make it `only: in`',
      'key',
    )
  }
}

/** Whether everything the later tests accept is accepted by the earlier ones. */
function covers(earlier: Tests, later: Tests, absentIsNull: boolean): boolean {
  return Object.entries(earlier).every(([key, test]) => {
    const given = later[key]
    if (given === undefined) return false
    const value = exactValue(given)
    if (value !== undefined) return compileTest(test, absentIsNull)(value)
    return JSON.stringify(given) === JSON.stringify(test)
  })
}

/** A wire key whose value several cases fix must stand somewhere in the fields, so that its place in the message is known. */
function checkOwnership(
  cases: MessageRule['cases'],
  fields: MessageRule['fields'],
  path: YamlPath,
  { file, fault }: Checker,
): void {
  if (file.codec.name !== 'ruby-yaml') return
  const missing = new Set<string>()
  for (const rule of Object.values(cases ?? {})) {
    for (const key of [...Object.keys(rule?.wire ?? {}), ...Object.keys(rule?.also ?? {})])
      if (!(key in (fields ?? {}))) missing.add(key)
  }
  for (const key of missing) {
    fault(
      path,
      'mapping.field',
      `the cases write ${key}, but fields do not say where it stands`,
      `add \`${key}: cases\` to fields, in its place`,
      'key',
    )
  }
}
