import { nearest, type YamlPath } from '../config/index.js'
import type { FactKind } from '../model/index.js'
import { compileTemplate, TemplateFault } from './address.js'
import { checkCases } from './check-cases.js'
import { checkFields, type Said } from './check-fields.js'
import { checkOpenTable, checkTableUse } from './check-tables.js'
import { type Checker, checkValue } from './checker.js'
import { isChoice, isCondition } from './match.js'
import { modelPaths } from './paths.js'
import type { ElementRule, FieldRules, InferRules, MessageRule } from './schema.js'

/** Model fields without which a fact of the kind means nothing. */
const ESSENTIAL: Readonly<Record<FactKind, readonly string[]>> = {
  channel: ['id', 'state'],
  cdr: ['id'],
  bridge: ['id'],
  transfer: [],
  terminal: ['serial'],
  device: ['name', 'state'],
  mailbox: ['name'],
  dtmf: ['channel', 'digit'],
  playback: ['channel', 'state'],
  recording: ['name', 'state'],
  speech: ['channel'],
  conference: ['name'],
  node: ['id'],
  lifecycle: ['event'],
  sync: ['of'],
  snapshot: ['of'],
  gap: [],
  custom: ['name'],
}

const SETTING = /\{settings\.[\w-]+\}/g
/** What addresses of the links are made of. */
const ADDRESS_KEYS = ['exchange', 'key', 'subject', 'node']

/** What is known of a message of which parts may have been left out. */
export interface Known {
  /** Whether a name that nothing mentions may stand in what was left out. */
  mayBeSaid(name: string): boolean
  readonly hasAddress: boolean
}

/** Every fault of one message. */
export function checkMessage(
  rule: MessageRule,
  path: YamlPath,
  checker: Checker,
  { mayBeSaid, hasAddress }: Known,
): void {
  checkForms(rule, path, checker)
  checkClasses(rule, path, checker)
  if (hasAddress) checkAddress(rule, path, checker)
  checkFixed(rule.set, [...path, 'set'], checker)
  const said: Said = new Map(Object.keys(rule.set ?? {}).map((name) => [name, { wire: '`set`', lossy: false }]))
  checkFields(rule.fields, [...path, 'fields'], checker, said, rule.cases !== undefined)
  checkFields(rule.item?.fields, [...path, 'item', 'fields'], checker, said, rule.item?.cases !== undefined)
  checkCases(rule.cases, rule.fields, [...path, 'cases'], checker)
  checkCases(rule.item?.cases, rule.item?.fields, [...path, 'item', 'cases'], checker)
  checkInfer(rule.infer, [...path, 'infer'], checker)
  checkInfer(rule.item?.infer, [...path, 'item', 'infer'], checker)
  checkColumns(rule, path, checker, said)
  checkCarry(rule, path, checker)
  if (rule.item !== undefined) checkCarry(rule.item, [...path, 'item'], checker)
  checkWords(rule, path, checker)
  checkMatch(rule, path, checker)
  if (!mayBeSaid('match')) checkEnvelope(rule, path, checker)
  if (!mayBeSaid('full')) checkFull(rule, path, checker)
  checkEssential(rule, path, checker, mayBeSaid)
}

function checkForms(rule: MessageRule, path: YamlPath, { fault }: Checker): void {
  const ways = (['each', 'columns', 'words'] as const).filter((way) => rule[way] !== undefined)
  if (ways.length > 1)
    fault([...path, ways[1]!], 'mapping.contradiction', `${ways.join(' and ')} exclude each other`, 'choose one', 'key')
  for (const key of ['fields', 'cases', 'infer', 'carry', 'root'] as const) {
    if (rule.words === undefined || rule[key] === undefined) continue
    const what = `a message of words has no ${key}: it is one word, perhaps with arguments`
    fault([...path, key], 'mapping.contradiction', what, `remove \`${key}\` or \`words\``, 'key')
  }
  const needs = [
    ['item', rule.item, 'each', rule.each, 'item says what the elements of a list are'],
    ['rest', rule.rest, 'carry', rule.carry, 'rest takes what carry leaves'],
    ['item.rest', rule.item?.rest, 'item.carry', rule.item?.carry, 'rest takes what carry leaves'],
    ['mustSay', rule.mustSay, 'cases', rule.cases, 'mustSay is about the cases'],
  ] as const
  for (const [key, value, other, needed, what] of needs) {
    if (value === undefined || needed !== undefined) continue
    const right = `add \`${other}\` or remove \`${key}\``
    fault([...path, ...key.split('.')], 'mapping.contradiction', `${what}, but there is no ${other}`, right, 'key')
  }
  if (rule.item?.mustSay !== undefined && rule.item.cases === undefined) {
    const what = 'mustSay is about the cases of the element, but it has none'
    fault([...path, 'item', 'mustSay'], 'mapping.contradiction', what, 'add `cases` or remove `mustSay`', 'key')
  }
}

function checkClasses(rule: MessageRule, path: YamlPath, { file, hasClasses, fault }: Checker): void {
  const allowed = file.codec.classes ?? []
  const named: readonly [YamlPath, string | undefined][] = [
    [[...path, 'class'], rule.class],
    [[...path, 'item', 'class'], rule.item?.class],
  ]
  for (const [at, name] of named) {
    if (name === undefined) continue
    if (file.codec.name !== 'ruby-yaml')
      fault(at, 'mapping.class', `${file.codec.name} has no classes`, 'tell the message by `match`', 'key')
    else if (hasClasses && !allowed.includes(name)) {
      const near = nearest(name, allowed)
      const right =
        near === undefined ? 'add it to codec.classes' : `did you mean ${near}? Otherwise add it to codec.classes`
      fault(at, 'mapping.class', `the codec does not let in the class ${name}`, right)
    }
  }
}

/** What a JSON-RPC body needs so that it can be written. */
function checkEnvelope({ match, root }: MessageRule, path: YamlPath, { file, fault }: Checker): void {
  if (file.codec.name !== 'json-rpc') return
  if (typeof match?.method !== 'string') {
    const what = 'nothing says which method the message has'
    fault(path, 'mapping.missing', what, 'add `match: { method: Event.NAME }`', 'key')
  }
  if (root === undefined || !/^params(\.|$)/.test(root)) {
    const what = root === undefined ? 'the fields begin at the envelope itself' : `${root} is no part of an event`
    fault(
      root === undefined ? path : [...path, 'root'],
      'mapping.missing',
      what,
      'add `root: params`',
      root === undefined ? 'key' : 'value',
    )
  }
}

function checkAddress({ address }: MessageRule, path: YamlPath, checker: Checker): void {
  const at = [...path, 'address']
  const keys = Object.keys(address)
  for (const key of keys) {
    if (!ADDRESS_KEYS.includes(key)) {
      const near = nearest(key, ADDRESS_KEYS)
      const want = 'want `exchange` and `key`, or `subject`, or `node`'
      const right = near === undefined ? want : `did you mean ${near}? ${want}`
      checker.fault([...at, key], 'mapping.template', `no link has an address with ${key}`, right, 'key')
    }
    checkTemplate(address[key]!, [...at, key], checker)
  }
  const isAmqp = keys.includes('exchange') && keys.includes('key')
  const isOne = ['subject', 'node'].includes(keys.join())
  if (keys.some((key) => !ADDRESS_KEYS.includes(key)) || (isAmqp ? keys.length === 2 : isOne)) return
  const what = keys.length === 0 ? 'the address is empty' : `an address of ${keys.join(' and ')} fits no link`
  checker.fault(at, 'mapping.template', what, 'want `exchange` and `key`, or `subject`, or `node`', 'key')
}

function checkTemplate(text: string, path: YamlPath, checker: Checker): void {
  const example = 'for example cn.xswitch.ctrl[.{controller}]'
  try {
    compileTemplate(text.replace(SETTING, 'setting'), (name) => {
      if (name.startsWith('settings'))
        throw new TemplateFault(`{${name}} is no setting; settings are named {settings.NAME}`)
      const found = checker.field(path, name)
      if (found?.shape !== undefined && found.shape.type !== 'string' && found.shape.type !== 'enum')
        throw new TemplateFault(`{${name}} is no text, and an address is made of text`)
      if (found === undefined) throw new UnknownField()
      return found
    })
  } catch (error) {
    if (error instanceof TemplateFault) checker.fault(path, 'mapping.template', error.message, example)
    else if (!(error instanceof UnknownField)) throw error
  }
}

/** Leaves the compiler of a template once a field is unknown, which has been reported by then. */
class UnknownField extends Error {}

function checkFixed(set: MessageRule['set'], path: YamlPath, checker: Checker): void {
  for (const [name, value] of Object.entries(set ?? {}))
    checkValue(checker.field([...path, name], name, 'key'), value, [...path, name], checker)
}

function checkColumns(rule: MessageRule, path: YamlPath, checker: Checker, said: Said): void {
  const lists = new Map<string, string>()
  for (const [name, columns] of Object.entries(rule.columns ?? {})) {
    const at = [...path, 'columns', name]
    checkFixed(columns.set, [...at, 'set'], checker)
    checkFields(columns.fields, [...at, 'fields'], checker, new Map(said), false)
    for (const wire of Object.keys(columns.fields)) {
      const before = lists.get(wire) ?? (wire in (rule.fields ?? {}) ? 'fields' : undefined)
      lists.set(wire, name)
      if (before === undefined) continue
      checker.fault(
        [...at, 'fields', wire],
        'mapping.contradiction',
        `${wire} stands in ${before} too`,
        'keep one of them',
        'key',
      )
    }
    if (Object.keys(columns.fields).length > 0) continue
    checker.fault(at, 'mapping.contradiction', `the columns ${name} have no lists`, 'name them under fields', 'key')
  }
  if (rule.each === undefined || !(rule.each in (rule.fields ?? {}))) return
  const what = `${rule.each} is the list of elements and a field at once`
  checker.fault([...path, 'fields', rule.each], 'mapping.contradiction', what, 'keep it under `each` only', 'key')
}

function checkCarry(rule: MessageRule | ElementRule, path: YamlPath, checker: Checker): void {
  const { carry, rest } = rule
  const field = rest === undefined ? undefined : checker.field([...path, 'rest'], rest)
  if (field !== undefined && !field.shape?.map) {
    const what = `${rest} holds no values by name`
    checker.fault([...path, 'rest'], 'mapping.conversion', what, 'want a field such as vars')
  }
  if (carry === undefined || !(carry.at in (rule.fields ?? {}))) return
  const what = `${carry.at} is a field of its own`
  checker.fault([...path, 'carry', 'at'], 'mapping.contradiction', what, 'name a map that no field takes')
}

function checkInfer(rules: InferRules | undefined, path: YamlPath, checker: Checker): void {
  for (const [name, rule] of Object.entries(rules ?? {})) {
    if (rule === null) continue
    const at = [...path, name]
    const { model = {}, lookup = {} } = rule
    if (Object.keys(model).length + Object.keys(lookup).length === 0)
      checker.fault(at, 'mapping.contradiction', 'nothing is told by this', 'name model fields, or look one up', 'key')
    if (rule.wire === undefined && Object.keys(model).length > 0) {
      const what = 'this would be told of every message'
      checker.fault(at, 'mapping.contradiction', what, 'name the wire fields it is told from, or use `set`', 'key')
    }
    checkFixed(model, [...at, 'model'], checker)
    for (const [field, { of, table }] of Object.entries(lookup)) {
      const here = [...at, 'lookup', field]
      checker.field([...here, 'of'], of)
      checkOpenTable(table, checker.field(here, field, 'key'), [...here, 'table'], checker)
    }
  }
}

function checkWords({ words }: MessageRule, path: YamlPath, checker: Checker): void {
  if (words === undefined) return
  const at = [...path, 'words']
  checkTableUse(words.table, checker.field([...at, 'is'], words.is), [...at, 'table'], checker)
  for (const [i, name] of (words.args ?? []).entries()) {
    const field = checker.field([...at, 'args', i], name)
    if (field?.shape === undefined || field.shape.type === 'string') continue
    checker.fault([...at, 'args', i], 'mapping.conversion', `${name} is no text`, 'arguments of words are texts')
  }
}

/** A field that `match` fixes needs no rule of its own. */
function checkMatch({ match, root, fields, cases }: MessageRule, path: YamlPath, { fault }: Checker): void {
  const prefix = root === undefined ? '' : `${root}.`
  for (const [wire, asked] of Object.entries(match ?? {})) {
    const own = wire.startsWith(prefix) ? wire.slice(prefix.length) : undefined
    const isPlaced = own !== undefined && (fields?.[own] ?? null) !== null
    if (isChoice(asked)) {
      const isSaid =
        isPlaced || Object.values(cases ?? {}).some((each) => own !== undefined && own in (each?.wire ?? {}))
      const what = `${wire} may be one of several values, and nothing says which`
      if (!isSaid)
        fault(
          [...path, 'match', wire],
          'mapping.unmapped',
          what,
          'map it to a model field, or write it by cases',
          'key',
        )
      continue
    }
    if (!isPlaced || isCondition(asked)) continue
    fault([...path, 'fields', own], 'mapping.contradiction', `match fixes ${own} already`, 'keep one of the two', 'key')
  }
}

function checkFull(rule: MessageRule, path: YamlPath, { fault }: Checker): void {
  const said = saidBy(rule).has('full')
  if (said === (rule.full !== undefined)) return
  if (said) {
    const what = 'a field says whether this is a full picture, but not of what'
    fault(path, 'mapping.unmapped', what, 'add `full` with what it is a picture of, such as `full: channels`', 'key')
  } else {
    const what = 'nothing in the message says whether it is a full picture'
    fault([...path, 'full'], 'mapping.unmapped', what, 'map a wire field to `full`, or remove this', 'key')
  }
}

function checkEssential(
  rule: MessageRule,
  path: YamlPath,
  { kind, fault }: Checker,
  mayBeSaid: Known['mayBeSaid'],
): void {
  const said = saidBy(rule)
  for (const need of ESSENTIAL[kind]) {
    if (said.has(need) || mayBeSaid(need)) continue
    const what = `nothing maps ${need}, without which a ${kind} fact means nothing`
    fault(path, 'mapping.unmapped', what, `map a wire field to ${need}`, 'key')
  }
}

function namesOf(form: string): string[] {
  return [...form.matchAll(/\{([^{}|#~]+)/g)].map(([, name]) => name!)
}

/** Model fields that the message says in any way. */
function saidBy(rule: MessageRule): Set<string> {
  const said = new Set<string>(Object.keys(rule.set ?? {}))
  if (rule.words !== undefined) for (const name of [rule.words.is, ...(rule.words.args ?? [])]) said.add(name)
  const lists: (FieldRules | undefined)[] = [rule.fields, rule.item?.fields]
  for (const columns of Object.values(rule.columns ?? {})) {
    lists.push(columns.fields)
    for (const name of Object.keys(columns.set ?? {})) said.add(name)
  }
  for (const fields of lists) {
    for (const field of Object.values(fields ?? {})) {
      const name = typeof field === 'string' ? field : field?.is
      if (name !== undefined) said.add(name)
      if (typeof field === 'object')
        for (const form of [field?.form ?? []].flat()) for (const each of namesOf(form)) said.add(each)
    }
  }
  for (const cases of [rule.cases, rule.item?.cases])
    for (const each of Object.values(cases ?? {})) for (const name of Object.keys(each?.model ?? {})) said.add(name)
  for (const text of Object.values(rule.address)) for (const [, name] of text.matchAll(/\{([\w.]+)\}/g)) said.add(name!)
  // A mistyped field is a fault of its own; that it is missing would only follow from that.
  const paths = modelPaths(rule.fact)
  const meant = (name: string) => (paths.includes(name) || name.startsWith('ext.') ? name : nearest(name, paths))
  return new Set([...said].map((name) => meant(name) ?? name))
}
