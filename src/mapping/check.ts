import type { Fault, FaultCode, YamlPath, YamlSource } from '../config/index.js'
import { nearest } from '../config/index.js'
import type { FactKind, FieldShape } from '../model/index.js'
import { compileTemplate, TemplateFault } from './address.js'
import { checkCases } from './check-cases.js'
import { conversionFits, defaultConversion, tableRows } from './converters.js'
import { compileExpression, ExpressionFault } from './expression.js'
import { fitsShape, type ModelPath, modelPath, modelPaths } from './paths.js'
import type { FieldRule, MappingFile, MessageRule, Scalar } from './schema.js'
import { BY_CASES } from './shape.js'

/** What the checks of one mapping share. */
export interface Checker {
  readonly file: MappingFile
  readonly kind: FactKind
  fault(path: YamlPath, code: FaultCode, what: string, right: string, at?: 'key' | 'value'): void
  /** The model field, or a fault and undefined. */
  field(path: YamlPath, name: string, at?: 'key' | 'value'): ModelPath | undefined
}

/** Model fields without which a fact of the kind means nothing. */
const ESSENTIAL: Partial<Record<FactKind, readonly string[]>> = {
  channel: ['id', 'state'],
  cdr: ['id'],
  terminal: ['serial'],
  dtmf: ['channel', 'digit'],
  node: ['id'],
  lifecycle: ['event'],
  sync: ['of'],
}

/** Every fault of a mapping that its form alone does not show. */
export function checkMapping(
  file: MappingFile,
  source: YamlSource,
  settings: Readonly<Record<string, unknown>>,
): Fault[] {
  const faults: Fault[] = []
  const fault: Checker['fault'] = (path, code, what, right, at) =>
    void faults.push(source.fault(path, code, what, right, at))
  checkSettings(file, settings, fault)
  const usedTables = new Set<string>()
  const seen: { name: string; key: string }[] = []
  for (const [name, rule] of Object.entries(file.messages)) {
    if (rule === null) continue
    const checker = messageChecker(file, rule.fact, fault)
    checkMessage(rule, ['messages', name], checker, usedTables)
    const key = identityOf(rule)
    const twin = seen.find((each) => each.key === key)
    if (twin !== undefined) {
      fault(
        ['messages', name],
        'mapping.dead-rule',
        `every message it could take is taken by ${twin.name} before`,
        'tell them apart by address, match, class or list',
      )
    }
    seen.push({ name, key })
  }
  for (const name of Object.keys(file.tables ?? {})) {
    if (!usedTables.has(name))
      fault(['tables', name], 'mapping.dead-rule', `no rule uses the table ${name}`, 'use it or remove it', 'key')
  }
  return faults
}

function messageChecker(file: MappingFile, kind: FactKind, fault: Checker['fault']): Checker {
  return {
    file,
    kind,
    fault,
    field(path, name, at) {
      const found = modelPath(kind, name, file.dialect)
      if (found !== undefined && name !== 'ext.') return found
      const near = nearest(name, modelPaths(kind))
      const right =
        near === undefined
          ? `fields of ${kind}: ${modelPaths(kind).join(', ')}, ext.NAME`
          : `did you mean ${near}? To keep a value the model has no word for: ext.${name.split('.').at(-1)}`
      fault(path, 'mapping.field', `a ${kind} fact has no field ${name}`, right, at)
      return undefined
    },
  }
}

/** What decides which messages a rule takes. */
function identityOf(rule: MessageRule): string {
  const lists = [rule.each, ...Object.values(rule.columns ?? {}).flatMap((each) => Object.keys(each.fields))]
  return JSON.stringify([rule.address, rule.match, rule.class, rule.root, lists, rule.words?.table])
}

const SETTING = /\{settings\.([\w-]+)\}/g
/** Settings that codecs read. */
const CODEC_SETTINGS = new Set(['profile'])

function checkSettings(file: MappingFile, given: Readonly<Record<string, unknown>>, fault: Checker['fault']): void {
  const known = Object.keys(file.settings ?? {})
  const used = new Set(CODEC_SETTINGS)
  const visit = (value: unknown, path: YamlPath): void => {
    if (typeof value === 'string') {
      for (const [, name] of value.matchAll(SETTING)) {
        used.add(name!)
        if (known.includes(name!)) continue
        const near = nearest(name!, known)
        fault(
          path,
          'mapping.setting',
          `there is no setting ${name}`,
          near === undefined ? 'declare it under settings' : `did you mean ${near}?`,
        )
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, each] of Object.entries(value)) visit(each, [...path, Array.isArray(value) ? Number(key) : key])
    }
  }
  visit(file.messages, ['messages'])
  for (const name of known) {
    if (!used.has(name))
      fault(
        ['settings', name],
        'mapping.dead-rule',
        `nothing uses the setting ${name}`,
        'use it as {settings.NAME} or remove it',
        'key',
      )
  }
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    fault(
      ['settings'],
      'mapping.setting',
      `the configuration sets ${name}, which ${file.dialect} does not have`,
      near === undefined ? `its settings: ${known.join(', ')}` : `did you mean ${near}?`,
      'key',
    )
  }
}

function checkMessage(rule: MessageRule, path: YamlPath, checker: Checker, usedTables: Set<string>): void {
  checkForms(rule, path, checker)
  checkClasses(rule, path, checker)
  for (const [key, text] of Object.entries(rule.address)) checkTemplate(text, [...path, 'address', key], checker)
  checkFixed(rule.set, [...path, 'set'], checker)
  const said = new Map<string, { path: YamlPath; lossy: boolean }>()
  checkFields(rule.fields, [...path, 'fields'], checker, said, usedTables, rule.cases !== undefined)
  checkFields(rule.item?.fields, [...path, 'item', 'fields'], checker, said, usedTables, rule.item?.cases !== undefined)
  checkCases(rule.cases, rule.fields, [...path, 'cases'], checker)
  checkCases(rule.item?.cases, rule.item?.fields, [...path, 'item', 'cases'], checker)
  for (const [name, columns] of Object.entries(rule.columns ?? {})) {
    const at = [...path, 'columns', name]
    checkFixed(columns.set, [...at, 'set'], checker)
    checkFields(columns.fields, [...at, 'fields'], checker, new Map(), usedTables, false)
  }
  if (rule.rest !== undefined) checker.field([...path, 'rest'], rule.rest)
  if (rule.words !== undefined) {
    usedTables.add(rule.words.table)
    checkTable(
      rule.words.table,
      checker.field([...path, 'words', 'is'], rule.words.is),
      [...path, 'words', 'table'],
      false,
      checker,
    )
    for (const [i, arg] of (rule.words.args ?? []).entries()) checker.field([...path, 'words', 'args', i], arg)
  }
  checkEssential(rule, path, checker)
}

function checkForms(rule: MessageRule, path: YamlPath, { fault }: Checker): void {
  const ways = (['each', 'columns', 'words'] as const).filter((way) => rule[way] !== undefined)
  if (ways.length > 1)
    fault([...path, ways[1]!], 'mapping.contradiction', `${ways.join(' and ')} exclude each other`, 'choose one', 'key')
  if (rule.item !== undefined && rule.each === undefined) {
    fault(
      [...path, 'item'],
      'mapping.contradiction',
      'item says what the elements of a list are, but there is no list',
      'name the list with each',
      'key',
    )
  }
  if (rule.rest !== undefined && rule.carry === undefined) {
    fault(
      [...path, 'rest'],
      'mapping.contradiction',
      'rest takes what carry leaves, but there is no carry',
      'add carry or remove rest',
      'key',
    )
  }
}

function checkClasses(rule: MessageRule, path: YamlPath, { file, fault }: Checker): void {
  const allowed = file.codec.classes ?? []
  const named: [YamlPath, string | undefined][] = [
    [[...path, 'class'], rule.class],
    [[...path, 'item', 'class'], rule.item?.class],
  ]
  for (const [at, name] of named) {
    if (name === undefined || allowed.includes(name)) continue
    const near = nearest(name, allowed)
    fault(
      at,
      'mapping.class',
      `the codec does not let in the class ${name}`,
      near === undefined ? 'add it to codec.classes' : `did you mean ${near}? Otherwise add it to codec.classes`,
    )
  }
}

function checkTemplate(text: string, path: YamlPath, checker: Checker): void {
  try {
    compileTemplate(text.replace(SETTING, 'setting'), (name) => {
      const found = checker.field(path, name)
      if (found === undefined) throw new Error('reported')
      return found
    })
  } catch (error) {
    if (error instanceof TemplateFault)
      checker.fault(path, 'mapping.template', error.message, 'for example cn.xswitch.ctrl[.{controller}]')
  }
}

/** Values a model field cannot hold. */
export function checkValue(field: ModelPath | undefined, value: Scalar, path: YamlPath, { fault }: Checker): void {
  if (field?.shape === undefined || value === null || fitsShape(value, field.shape)) return
  const { values, type } = field.shape
  const right = values === undefined ? `want a ${type}` : `want one of ${values.join(', ')}`
  fault(path, 'mapping.value', `${field.path} cannot be ${JSON.stringify(value)}`, right)
}

function checkFixed(set: MessageRule['set'], path: YamlPath, checker: Checker): void {
  for (const [name, value] of Object.entries(set ?? {}))
    checkValue(checker.field([...path, name], name, 'key'), value, [...path, name], checker)
}

type Said = Map<string, { path: YamlPath; lossy: boolean }>

function checkFields(
  fields: MessageRule['fields'],
  path: YamlPath,
  checker: Checker,
  said: Said,
  usedTables: Set<string>,
  hasCases: boolean,
): void {
  for (const [wire, rule] of Object.entries(fields ?? {})) {
    const at = [...path, wire]
    if (rule === null) continue
    if (rule === BY_CASES) {
      if (!hasCases)
        checker.fault(
          at,
          'mapping.contradiction',
          `${wire} is left to the cases, but there are none`,
          'add cases beside fields',
        )
      continue
    }
    checkField(
      typeof rule === 'string' ? { is: rule } : rule,
      typeof rule === 'string' ? at : [...at, 'is'],
      at,
      checker,
      said,
      usedTables,
    )
  }
}

function checkField(
  rule: FieldRule,
  isPath: YamlPath,
  path: YamlPath,
  checker: Checker,
  said: Said,
  usedTables: Set<string>,
): void {
  const { fault } = checker
  const field = rule.is === undefined ? undefined : checker.field(isPath, rule.is)
  checkFieldForm(rule, path, checker)
  if (rule.table !== undefined) {
    usedTables.add(rule.table)
    checkTable(rule.table, field, [...path, 'table'], rule.lossy !== undefined, checker)
  } else if (field?.shape !== undefined) checkConversion(rule, field.shape, path, checker)
  for (const [name, test] of Object.entries(rule.when ?? {})) {
    const target = checker.field([...path, 'when', name], name, 'key')
    if (typeof test !== 'object' || test === null) checkValue(target, test, [...path, 'when', name], checker)
  }
  if (rule.derive !== undefined) checkExpression(rule.derive, [...path, 'derive'], checker)
  if (field === undefined) return
  const before = said.get(field.path)
  if (before !== undefined && !before.lossy && rule.lossy === undefined) {
    fault(
      isPath,
      'mapping.contradiction',
      `${field.path} is already said by ${before.path.at(-1)}`,
      'map each model field once, or say `lossy` on the one that gives way',
    )
  }
  said.set(field.path, { path, lossy: rule.lossy !== undefined })
}

function checkFieldForm(rule: FieldRule, path: YamlPath, { fault }: Checker): void {
  if (rule.is === undefined && rule.const === undefined && rule.derive === undefined) {
    fault(
      path,
      'mapping.contradiction',
      'the field has neither a model side nor a fixed value',
      'give it `is`, `const` or `derive`',
      'key',
    )
  }
  if (rule.is !== undefined && rule.const !== undefined) {
    fault(
      [...path, 'const'],
      'mapping.contradiction',
      'a fixed value cannot have a model side',
      'remove `is` or `const`',
      'key',
    )
  }
  if (rule.required && rule.default !== undefined) {
    fault(
      [...path, 'required'],
      'mapping.contradiction',
      'a required field cannot have a default',
      'remove one of them',
      'key',
    )
  }
}

function checkConversion(rule: FieldRule, shape: FieldShape, path: YamlPath, { fault }: Checker): void {
  const conversion = rule.as ?? defaultConversion(shape)
  if (conversion === undefined || shape.list || conversionFits(conversion, shape)) return
  const right =
    shape.type === 'string' || shape.type === 'enum'
      ? 'str, or a table'
      : shape.type === 'boolean'
        ? 'bool or bool-text'
        : 'int, int-text or one of the times'
  fault(
    [...path, 'as'],
    'mapping.conversion',
    `${conversion} does not give a ${shape.type}, which ${rule.is} is`,
    right,
  )
}

function checkTable(
  name: string,
  field: ModelPath | undefined,
  path: YamlPath,
  lossy: boolean,
  checker: Checker,
): void {
  const { file, fault } = checker
  const table = file.tables?.[name]
  if (table === undefined) {
    const near = nearest(name, Object.keys(file.tables ?? {}))
    fault(
      path,
      'mapping.table',
      `there is no table ${name}`,
      near === undefined ? 'add it under tables' : `did you mean ${near}?`,
    )
    return
  }
  const told = new Map<Scalar, Scalar>()
  for (const [i, [wire, model]] of tableRows(table).entries()) {
    const row = ['tables', name, Array.isArray(table) ? i : String(wire)]
    checkValue(field, model, row, checker)
    if (told.has(model) && !lossy) {
      fault(
        row,
        'mapping.table',
        `${JSON.stringify(told.get(model))} already stands for ${JSON.stringify(model)}, so this row is never written`,
        'give each model value one wire value, or say `lossy` where the table is used',
      )
    }
    told.set(model, wire)
  }
}

function checkExpression(text: string, path: YamlPath, { fault }: Checker): void {
  try {
    compileExpression(text)
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error
    fault(path, 'mapping.expression', error.message, 'want CEL over `fact`, such as fact.caller.number')
  }
}

function checkEssential(rule: MessageRule, path: YamlPath, { kind, fault }: Checker): void {
  const said = new Set<string>(Object.keys(rule.set ?? {}))
  if (rule.words !== undefined) said.add(rule.words.is)
  const fields = [rule.fields, rule.item?.fields, ...Object.values(rule.columns ?? {}).map((each) => each.fields)]
  for (const each of fields)
    for (const field of Object.values(each ?? {})) said.add(typeof field === 'string' ? field : (field?.is ?? ''))
  for (const cases of [rule.cases, rule.item?.cases])
    for (const each of Object.values(cases ?? {})) for (const name of Object.keys(each?.model ?? {})) said.add(name)
  for (const need of ESSENTIAL[kind] ?? []) {
    if (!said.has(need))
      fault(
        path,
        'mapping.unmapped',
        `nothing maps ${need}, without which a ${kind} fact means nothing`,
        `map a wire field to ${need}`,
        'key',
      )
  }
}
