import type { YamlPath } from '../config/index.js'
import type { FieldShape } from '../model/index.js'
import { checkOpenTable, checkTableUse } from './check-tables.js'
import { type Checker, checkTest } from './checker.js'
import { conversionFits, defaultConversion, tableRows } from './converters.js'
import { compileExpression, ExpressionFault, factPaths } from './expression.js'
import { FormFault, type FormField, formFields } from './forms.js'
import { type ModelPath, modelPaths } from './paths.js'
import type { Conversion, FieldRule, FieldRules, MappingFile } from './schema.js'
import { BY_CASES } from './shape.js'
import { isDropped } from './slots.js'

/** Where each model field of a message was said first. */
export type Said = Map<string, { readonly wire: string; readonly lossy: boolean }>

const SETTING = /\{settings\.[\w-]+\}/g

/** Conversions that drop what is below a second. */
const ROUNDING: ReadonlySet<Conversion> = new Set(['epoch-s', 'seconds', 'seconds-text', 'stamp'])

/** Faults of the fields of one wire map. `said` is shared by the maps that make one fact. */
export function checkFields(
  fields: FieldRules | undefined,
  path: YamlPath,
  checker: Checker,
  said: Said,
  hasCases: boolean,
): void {
  const all = Object.entries(fields ?? {})
  for (const [wire, rule] of all) {
    const at = [...path, wire]
    const inside = all.find(([other, each]) => each !== null && other.startsWith(`${wire}.`))
    if (rule === null) continue
    if (inside !== undefined) {
      const what = `${wire} is a value here and a map in ${inside[0]}`
      checker.fault(at, 'mapping.contradiction', what, 'keep one of them', 'key')
    }
    if (rule === BY_CASES) {
      if (hasCases) continue
      const what = `${wire} is left to the cases, but there are none`
      checker.fault(at, 'mapping.contradiction', what, 'add cases beside fields, or name a model field')
    } else if (typeof rule === 'string') checkField({ is: rule }, at, at, checker, said)
    else checkField(rule, at, [...at, 'is'], checker, said)
  }
}

function checkField(rule: FieldRule, path: YamlPath, isPath: YamlPath, checker: Checker, said: Said): void {
  const field = rule.is === undefined ? undefined : checker.field(isPath, rule.is)
  checkKeys(rule, path, checker)
  for (const [i, text] of [rule.form ?? []].flat().entries()) {
    const at = typeof rule.form === 'string' ? [...path, 'form'] : [...path, 'form', i]
    const fields = checkForm(text, at, checker, false)
    if (i === 0) for (const each of fields) note(each.path, at, rule, path, checker, said)
  }
  checkSubstitutes(rule.or, [...path, 'or'], checker)
  if (rule.else !== undefined) checkElse(rule, [...path, 'else'], checker)
  if (rule.table !== undefined) checkTableUse(rule.table, field, [...path, 'table'], checker)
  else if (field?.shape !== undefined) checkConversion(rule, field.shape, path, isPath, checker)
  checkDefault(rule, field?.shape, path, checker)
  for (const [name, test] of Object.entries(rule.when ?? {})) {
    const at = [...path, 'when', name]
    checkTest(checker.field(at, name, 'key'), test, at, checker)
  }
  if (rule.derive !== undefined) checkExpression(rule.derive, [...path, 'derive'], checker)
  if (field !== undefined) note(field.path, isPath, rule, path, checker, said)
}

/** Notes which field says a part of the model; a fault where another one does already. */
function note(name: string, at: YamlPath, rule: FieldRule, path: YamlPath, { fault }: Checker, said: Said): void {
  const before = said.get(name)
  const lossy = rule.lossy !== undefined
  if (before !== undefined && !before.lossy && !lossy) {
    const what = `${name} is already said by ${before.wire}`
    const right = 'map each model field once, or say `lossy` on the one that gives way'
    fault(at, 'mapping.contradiction', what, right)
  }
  if (before === undefined) said.set(name, { wire: String(path.at(-1)), lossy })
}

/** The model fields of a form; faults where it is none. `isWritten`: it is never read. */
function checkForm(text: string, path: YamlPath, checker: Checker, isWritten: boolean): ModelPath[] {
  const { fault } = checker
  let named: readonly FormField[]
  try {
    named = formFields(text.replace(SETTING, 'setting'))
  } catch (error) {
    if (!(error instanceof FormFault)) throw error
    fault(path, 'mapping.template', error.message, 'want a text such as PJSIP/{serial}-{ext.suffix}')
    return []
  }
  return named.flatMap(({ path: name, table, isName }) => {
    const field = checker.field(path, name)
    if (field === undefined) return []
    if (isName && !isWritten)
      fault(path, 'mapping.template', `{${name}#} cannot be read back`, `want {${name}}, or use the form under \`or\``)
    if (field.shape !== undefined && field.shape.type !== 'string' && field.shape.type !== 'enum')
      fault(path, 'mapping.template', `{${name}} is no text, and a form is made of text`, 'name a field that is text')
    if (table !== undefined) checkOpenTable(table, field, path, checker)
    return [field]
  })
}

function checkSubstitutes(rules: FieldRule['or'], path: YamlPath, checker: Checker): void {
  for (const [i, rule] of (rules ?? []).entries()) {
    const at = [...path, i]
    if (typeof rule === 'string') {
      checker.field(at, rule)
      continue
    }
    const ways = (['is', 'form', 'value'] as const).filter((way) => rule[way] !== undefined)
    if (ways.length !== 1)
      checker.fault(
        at,
        'mapping.contradiction',
        'one of `is`, `form` and `value` is written',
        'name exactly one of them',
      )
    if (rule.form !== undefined) checkForm(rule.form, [...at, 'form'], checker, true)
    const field = rule.is === undefined ? undefined : checker.field([...at, 'is'], rule.is)
    if (rule.table !== undefined) checkTableUse(rule.table, field, [...at, 'table'], checker)
    for (const [name, test] of Object.entries(rule.when ?? {}))
      checkTest(checker.field([...at, 'when', name], name, 'key'), test, [...at, 'when', name], checker)
  }
}

function checkElse(rule: FieldRule, path: YamlPath, checker: Checker): void {
  if (rule.if === undefined)
    checker.fault(path, 'mapping.contradiction', '`else` is about what `if` leaves', 'add `if`, or remove it', 'key')
  const field = checker.field(path, rule.else!)
  if (field === undefined || field.space === 'ext') return
  const what = `${rule.else} is a field of the model`
  checker.fault(path, 'mapping.field', what, 'want ext.NAME, which keeps what the model has no word for')
}

/** Keys of a field that exclude each other: the second does nothing beside the first. */
const EXCLUSIVE: readonly (readonly [keyof FieldRule, keyof FieldRule, string])[] = [
  ['is', 'const', 'a fixed value cannot have a model side'],
  ['derive', 'const', 'a fixed value cannot be derived too'],
  ['const', 'default', 'a fixed value needs no default'],
  ['const', 'required', 'a fixed value is always written and never required'],
  ['const', 'as', 'a fixed value is not converted'],
  ['const', 'table', 'a fixed value is not looked up'],
  ['required', 'default', 'a required field cannot have a default'],
  ['table', 'as', 'a table says by itself what becomes of each value'],
  ['form', 'is', 'a form names its model fields itself'],
  ['form', 'const', 'a fixed value has no form'],
  ['form', 'as', 'the fields of a form are texts'],
  ['form', 'table', 'a field of a form goes through a table as {field|table}'],
  ['form', 'if', 'only a single model field can be read under a condition'],
  ['or', 'const', 'a fixed value is always written'],
]

/** Conversions of numbers and truth values. */
const TEXTLESS: ReadonlySet<Conversion | undefined> = new Set([
  'int',
  'bool',
  'epoch-s',
  'epoch-ms',
  'seconds',
  'samples',
])
/** Texts that may stand for "not told" beside numbers and truth values. */
const PLAIN_TEXT = /^(-?\d+(\.\d+)?|true|false)?$/

/**
 * Whether a default is a word where all other values are numbers or truth values: then hardly any
 * message has it. An empty text is how many peers say "not told", whatever the type.
 */
export function isOddDefault(rule: FieldRule, shape: FieldShape | undefined, file: MappingFile): boolean {
  const { default: blank, table, as } = rule
  if (typeof blank !== 'string' || PLAIN_TEXT.test(blank) || blank.includes('{settings.')) return false
  const rows = table === undefined ? undefined : file.tables?.[table]
  if (table !== undefined) return rows !== undefined && tableRows(rows).every(([wire]) => typeof wire !== 'string')
  const conversion = as ?? defaultConversion(shape)
  return TEXTLESS.has(conversion) || (as === undefined && shape?.type === 'double')
}

function checkDefault(rule: FieldRule, shape: FieldShape | undefined, path: YamlPath, { file, fault }: Checker): void {
  if (Array.isArray(rule.default) && shape !== undefined && !shape.list) {
    const what = `an empty list cannot stand for ${rule.is}, which is no list`
    fault([...path, 'default'], 'mapping.value', what, 'want the value that stands for `not told`')
  }
  if (!isOddDefault(rule, shape, file)) return
  const what = `${JSON.stringify(rule.default)} is a word, and the other values of this field are none`
  const right = "want the value that stands for `not told`, such as '', 0 or false"
  fault([...path, 'default'], 'mapping.value', what, right)
}

function checkKeys(rule: FieldRule, path: YamlPath, { fault }: Checker): void {
  const ways = [rule.is, rule.form, rule.const, rule.derive, rule.or]
  if (ways.every((way) => way === undefined) && !isDropped(rule)) {
    const what = 'the field has neither a model side nor a fixed value'
    const right = 'give it `is`, `form`, `const`, `derive` or `or`; with `lossy` alone its value goes no further'
    fault(path, 'mapping.contradiction', what, right, 'key')
  }
  for (const [first, second, what] of EXCLUSIVE) {
    if (rule[first] === undefined || rule[second] === undefined || rule[first] === false) continue
    fault([...path, second], 'mapping.contradiction', what, `remove \`${first}\` or \`${second}\``, 'key')
  }
  if (rule.is !== undefined || rule.form !== undefined || rule.const !== undefined) return
  for (const key of ['required', 'as', 'table'] as const) {
    if (rule[key] === undefined || (key === 'as' && rule.or !== undefined)) continue
    const what = `\`${key}\` is about a model field, and the field has none`
    fault([...path, key], 'mapping.contradiction', what, 'add `is`, or remove it', 'key')
  }
}

function checkConversion(
  rule: FieldRule,
  shape: FieldShape,
  path: YamlPath,
  isPath: YamlPath,
  { fault }: Checker,
): void {
  if (shape.map) {
    const what = `${rule.is} holds many values by name, and a field is one value`
    fault(isPath, 'mapping.conversion', what, `name one of them, ${rule.is}.NAME, or use \`rest\``)
    return
  }
  const conversion = rule.as ?? defaultConversion(shape)
  if (conversion === undefined) return
  if (shape.list) {
    if (rule.as === undefined || rule.as === 'list') return
    const what = `${rule.is} is a list, which no conversion gives`
    fault([...path, 'as'], 'mapping.conversion', what, `name one element, ${rule.is}.0, or leave \`as\` out`)
  } else if (!conversionFits(conversion, shape)) {
    const what = `${conversion} does not give a ${shape.type}, which ${rule.is} is`
    fault([...path, 'as'], 'mapping.conversion', what, conversionsFor(shape))
  } else if (ROUNDING.has(conversion) && rule.lossy === undefined) {
    const what = `${conversion} counts whole seconds, and ${rule.is} is told in milliseconds`
    fault([...path, 'as'], 'mapping.law', what, 'say `lossy` with the reason, or use a finer conversion')
  }
}

function conversionsFor(shape: FieldShape): string {
  if (shape.type === 'string' || shape.type === 'enum') return 'want str, or a table'
  if (shape.type === 'boolean') return 'want bool or bool-text, or a table'
  return 'want int, int-text, samples or one of the times'
}

/** Parts of a fact that an expression may read beside the fields of its kind. */
const COMMON = /^(kind|full|meta|ext)(\.|$)/

function checkExpression(text: string, path: YamlPath, { fault, field, kind }: Checker): void {
  try {
    compileExpression(text)
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error
    fault(path, 'mapping.expression', error.message, 'want CEL over `fact`, such as fact.caller.number')
    return
  }
  for (const name of factPaths(text)) {
    const isGroup = modelPaths(kind).some((each) => each.startsWith(`${name}.`))
    if (!COMMON.test(name) && !isGroup) field(path, name)
  }
}
