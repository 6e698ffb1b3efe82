import { nearest, type YamlPath } from '../config/index.js'
import { type Checker, checkTest, checkValue } from './checker.js'
import { covers } from './conditions.js'
import type { CaseRule, CaseRules, FieldRules } from './schema.js'

type Named = { readonly name: string; readonly rule: CaseRule }

/** Faults of the cases of one map: unknown fields, impossible values, cases that nothing can reach. */
export function checkCases(
  cases: CaseRules | undefined,
  fields: FieldRules | undefined,
  path: YamlPath,
  checker: Checker,
): void {
  const before: Named[] = []
  for (const [name, rule] of Object.entries(cases ?? {})) {
    if (rule === null) continue
    const at = [...path, name]
    checkCase(rule, at, checker)
    checkReach({ name, rule }, before, at, checker)
    before.push({ name, rule })
  }
  checkOwnership(cases, fields, path, checker)
}

function checkCase(rule: CaseRule, path: YamlPath, checker: Checker): void {
  const { fault } = checker
  for (const [model, test] of Object.entries(rule.model)) {
    const at = [...path, 'model', model]
    checkTest(checker.field(at, model, 'key'), test, at, checker)
  }
  for (const [model, value] of Object.entries(rule.implies ?? {})) {
    const at = [...path, 'implies', model]
    checkValue(checker.field(at, model, 'key'), value, at, checker)
    if (model in rule.model) {
      const what = `${model} is said under model already`
      fault(at, 'mapping.contradiction', what, 'keep it under `model`, or under `implies` without a test', 'key')
    }
  }
  for (const key of Object.keys(rule.also ?? {})) {
    if (!(key in rule.wire)) continue
    const what = `${key} stands under wire already`
    fault([...path, 'also', key], 'mapping.contradiction', what, 'keep it under one of the two', 'key')
  }
  if (Object.keys(rule.wire).length === 0 && rule.only === undefined) {
    const what = 'a case without wire fields takes every message when it is read'
    fault(
      [...path, 'wire'],
      'mapping.contradiction',
      what,
      'name the wire fields, or say `only: in` for a last resort',
      'key',
    )
  }
  if (Object.keys(rule.model).length === 0 && rule.only !== 'out') {
    const what = 'a case without model fields says nothing when it is read'
    fault([...path, 'model'], 'mapping.contradiction', what, 'name the model fields', 'key')
  }
  if (rule.only === 'out' && rule.lossy === undefined) {
    const what = 'what this case writes is read back as another case, or as none'
    fault(path, 'mapping.law', what, 'say `lossy` with what gets lost, or drop `only`', 'key')
  }
}

function checkReach({ name, rule }: Named, before: readonly Named[], path: YamlPath, { fault }: Checker): void {
  const reader = before.find((each) => each.rule.only !== 'out' && covers(each.rule.wire, rule.wire, false))
  const writer = before.find((each) => each.rule.only !== 'in' && covers(each.rule.model, rule.model, true))
  const isUnread = rule.only !== 'out' && rule.lossy === undefined && reader !== undefined
  const isUnwritten = rule.only !== 'in' && writer !== undefined
  if (isUnread && isUnwritten && reader === writer) {
    const what = `nothing ever comes to ${name}: ${reader.name} stands before it and takes all of it`
    fault(path, 'mapping.dead-rule', what, 'put it first, tell the two apart, or remove it', 'key')
    return
  }
  if (isUnread) {
    const what = `reading never comes to ${name}: ${reader.name} takes all it would take`
    fault(path, 'mapping.dead-rule', what, 'put it first, make it `only: out`, or say `lossy`', 'key')
  }
  if (isUnwritten) {
    const what = `writing never comes to ${name}: ${writer.name} says all it would say`
    fault(path, 'mapping.dead-rule', what, 'put it first, or make it `only: in`', 'key')
  }
}

/** Where the order of keys is part of the wire form, the place of each key the cases write must be known. */
function checkOwnership(
  cases: CaseRules | undefined,
  fields: FieldRules | undefined,
  path: YamlPath,
  { file, fault }: Checker,
): void {
  if (file.codec.name !== 'ruby-yaml') return
  const known = Object.keys(fields ?? {})
  const missing = new Set<string>()
  for (const [name, rule] of Object.entries(cases ?? {})) {
    for (const part of ['wire', 'also'] as const) {
      for (const key of Object.keys(rule?.[part] ?? {})) {
        if (known.includes(key)) continue
        const near = nearest(key, known)
        if (near === undefined) missing.add(key)
        else {
          const what = `the case writes ${key}, but fields do not say where it stands`
          const right = `did you mean \`${near}\`? Otherwise add \`${key}: cases\` to fields, in its place`
          fault([...path, name, part, key], 'mapping.field', what, right, 'key')
        }
      }
    }
  }
  for (const key of missing) {
    const what = `the cases write ${key}, but fields do not say where it stands`
    fault(path, 'mapping.field', what, `add \`${key}: cases\` to fields, in its place`, 'key')
  }
}
