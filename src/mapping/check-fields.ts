import type { YamlPath } from '../config/index.js'
import type { FieldShape } from '../model/index.js'
import { checkTableUse } from './check-tables.js'
import { type Checker, checkTest } from './checker.js'
import { conversionFits, defaultConversion, tableRows } from './converters.js'
import { compileExpression, ExpressionFault, factPaths } from './expression.js'
import { modelPaths } from './paths.js'
import type { Conversion, FieldRule, FieldRules, MappingFile } from './schema.js'
import { BY_CASES } from './shape.js'

/** Where each model field of a message was said first. */
export type Said = Map<string, { readonly wire: string; readonly lossy: boolean }>

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
  checkForm(rule, path, checker)
  if (rule.table !== undefined) checkTableUse(rule.table, field, [...path, 'table'], checker)
  else if (field?.shape !== undefined) checkConversion(rule, field.shape, path, isPath, checker)
  checkDefault(rule, field?.shape, path, checker)
  for (const [name, test] of Object.entries(rule.when ?? {})) {
    const at = [...path, 'when', name]
    checkTest(checker.field(at, name, 'key'), test, at, checker)
  }
  if (rule.derive !== undefined) checkExpression(rule.derive, [...path, 'derive'], checker)
  if (field === undefined) return
  const before = said.get(field.path)
  const lossy = rule.lossy !== undefined
  if (before !== undefined && !before.lossy && !lossy) {
    const what = `${field.path} is already said by ${before.wire}`
    const right = 'map each model field once, or say `lossy` on the one that gives way'
    checker.fault(isPath, 'mapping.contradiction', what, right)
  }
  if (before === undefined) said.set(field.path, { wire: String(path.at(-1)), lossy })
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
  if (!isOddDefault(rule, shape, file)) return
  const what = `${JSON.stringify(rule.default)} is a word, and the other values of this field are none`
  const right = "want the value that stands for `not told`, such as '', 0 or false"
  fault([...path, 'default'], 'mapping.value', what, right)
}

function checkForm(rule: FieldRule, path: YamlPath, { fault }: Checker): void {
  if (rule.is === undefined && rule.const === undefined && rule.derive === undefined) {
    const what = 'the field has neither a model side nor a fixed value'
    fault(path, 'mapping.contradiction', what, 'give it `is`, `const` or `derive`', 'key')
  }
  for (const [first, second, what] of EXCLUSIVE) {
    if (rule[first] === undefined || rule[second] === undefined || rule[first] === false) continue
    fault([...path, second], 'mapping.contradiction', what, `remove \`${first}\` or \`${second}\``, 'key')
  }
  if (rule.is !== undefined || rule.const !== undefined) return
  for (const key of ['required', 'as', 'table'] as const) {
    if (rule[key] === undefined) continue
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
    if (rule.as === undefined) return
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
