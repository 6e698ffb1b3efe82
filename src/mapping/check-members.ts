import type { DescribeMember, MemberDescription } from '../codecs/codec.js'
import { nearest, type YamlPath } from '../config/index.js'
import type { FieldShape } from '../model/index.js'
import { isOddDefault } from './check-fields.js'
import type { ReportFault } from './checker.js'
import { exactValue } from './conditions.js'
import { conversionFits, defaultConversion, tableRows } from './converters.js'
import { askedValues } from './match.js'
import { modelPath } from './paths.js'
import {
  CONVERSIONS,
  type Conversion,
  type FieldRule,
  type FieldRules,
  type MappingFile,
  type MatchRule,
  type MessageRule,
  type Scalar,
  type SettingValues,
} from './schema.js'
import { BY_CASES } from './shape.js'

/** What the checks against the types of messages share. */
export interface MembersToCheck {
  readonly describe: DescribeMember
  readonly file: MappingFile
  readonly settings: SettingValues
  readonly fault: ReportFault
}

/** The members of one message, seen from where its fields begin. */
interface Members {
  readonly rule: MessageRule
  readonly all: MembersToCheck
  /** Undefined where nothing is known. `wire` is relative to the root. */
  find(wire: string): MemberDescription | undefined
  /** The same with a fault where messages have no such member. */
  need(wire: string, path: YamlPath, at?: 'key' | 'value'): MemberDescription | undefined
}

/** A wire value of the type that each conversion reads and writes. */
const WIRE_SAMPLES: Readonly<Record<Conversion, unknown>> = {
  str: '',
  int: 1,
  bool: true,
  'int-text': '1',
  'bool-text': 'true',
  'epoch-s': 1,
  'epoch-ms': 1,
  seconds: 1,
  'seconds-text': '1',
  'ms-text': '1',
  stamp: '2026-01-01 00:00:00',
  samples: 1,
  iso: '2026-01-01T00:00:00.000+0000',
  list: [],
}

type Matched = NonNullable<MessageRule['match']>

const SETTING = /\{settings\.([\w-]+)\}/g

function filled<V>(value: V, { settings }: Pick<MembersToCheck, 'settings'>): V | string {
  return typeof value === 'string' ? value.replace(SETTING, (_, name: string) => String(settings[name])) : value
}

/** Faults of what a message writes by the types of its codec: unknown members, values of a wrong type. */
export function checkMembers(unfilled: MessageRule, path: YamlPath, all: MembersToCheck): void {
  const match = Object.entries(unfilled.match ?? {}).map(([wire, value]) => [wire, filled(value, all)])
  const rule: MessageRule = { ...unfilled, ...(unfilled.match && { match: Object.fromEntries(match) as Matched }) }
  checkMatched(rule, [...path, 'match'], all)
  const members = membersOf(rule, all)
  if (!checkRoot(rule, path, all)) return
  checkFields(rule.fields, [...path, 'fields'], members)
  checkCases(rule, [...path, 'cases'], members)
  checkCarrier(rule, [...path, 'carry', 'at'], members)
  checkLists(rule, path, members)
}

function membersOf(rule: MessageRule, all: MembersToCheck): Members {
  const match = rule.match ?? {}
  const root = rule.root?.split('.') ?? []
  const find = (wire: string) => all.describe(match, [...root, ...wire.split('.')])
  return {
    rule,
    all,
    find,
    need(wire, path, at = 'key') {
      const found = find(wire)
      if (found === undefined || found.exists) return found
      const name = messageName(match)
      const holder = wire.includes('.') ? `${name} ${wire.slice(0, wire.lastIndexOf('.'))}` : name
      unknownMember(wire, holder, found, path, all.fault, at)
      return undefined
    },
  }
}

/** What people call the messages that have the values of `match`. */
function messageName(match: MatchRule): string {
  return Object.values(match)
    .flatMap((asked) => askedValues(asked))
    .join(' or ')
}

function unknownMember(
  wire: string,
  holder: string,
  { siblings }: MemberDescription,
  path: YamlPath,
  fault: ReportFault,
  at: 'key' | 'value',
): void {
  const cut = wire.lastIndexOf('.') + 1
  const near = nearest(wire.slice(cut), siblings)
  const right =
    near !== undefined
      ? `did you mean ${wire.slice(0, cut)}${near}?`
      : siblings.length > 0
        ? `want one of ${siblings.join(', ')}`
        : 'name a member of an object'
  fault(path, 'mapping.field', `${holder} has no member ${wire.slice(cut)}`, right, at)
}

function checkMatched({ match = {} }: MessageRule, path: YamlPath, all: MembersToCheck): void {
  for (const [wire, value] of Object.entries(match)) {
    const found = all.describe(match, wire.split('.'))
    if (found === undefined) continue
    if (!found.exists) unknownMember(wire, messageName(match), found, [...path, wire], all.fault, 'key')
    else for (const each of askedValues(value)) checkKnown(each, wire, found, [...path, wire], all)
  }
}

function checkKnown(value: Scalar, wire: string, found: MemberDescription, path: YamlPath, all: MembersToCheck): void {
  if (!checkWritten(value, wire, found, path, all) || found.known.includes(String(value))) return
  const near = nearest(String(value), found.known)
  if (near !== undefined)
    all.fault(path, 'mapping.value', `nothing is known of the ${wire} ${value}`, `did you mean ${near}?`)
}

/** False where the fields cannot be judged for want of their place. */
function checkRoot({ match = {}, root }: MessageRule, path: YamlPath, { describe, fault }: MembersToCheck): boolean {
  const found = describe(match, root?.split('.') ?? [])
  if (found === undefined) return false
  if (root === undefined || (found.exists && found.accepts({}))) return true
  const what = found.exists ? `${root} is no object` : `${messageName(match)} has no member ${root}`
  fault([...path, 'root'], 'mapping.field', what, 'want `root: params`')
  return false
}

function checkFields(fields: FieldRules | undefined, path: YamlPath, members: Members): void {
  for (const [wire, rule] of Object.entries(fields ?? {})) {
    const at = [...path, wire]
    if (rule === null) continue
    const found = members.need(wire, at)
    if (found === undefined || rule === BY_CASES) continue
    if (typeof rule === 'string') checkConverted({ is: rule }, wire, found, at, members)
    else checkField(rule, wire, found, at, members)
  }
}

function checkField(rule: FieldRule, wire: string, found: MemberDescription, path: YamlPath, members: Members): void {
  const { file } = members.all
  const field = rule.is === undefined ? undefined : modelPath(members.rule.fact, rule.is, file.dialect)
  for (const key of ['const', 'default'] as const) {
    const value = rule[key]
    const isReported = key === 'default' && (isOddDefault(rule, field?.shape, file) || isOddList(value, field?.shape))
    if (value !== undefined && !isReported) checkWritten(value, wire, found, [...path, key], members.all)
  }
  for (const [i, each] of (rule.or ?? []).entries()) {
    if (typeof each === 'object' && each.value !== undefined)
      checkWritten(each.value, wire, found, [...path, 'or', i, 'value'], members.all)
  }
  if (rule.form !== undefined && !found.accepts('text'))
    members.all.fault(
      [...path, 'form'],
      'mapping.conversion',
      `a form writes text, which ${wire} cannot be`,
      `want ${found.wants}`,
    )
  if (rule.const === undefined && rule.form === undefined) checkConverted(rule, wire, found, path, members)
}

function isOddList(value: unknown, shape: FieldShape | undefined): boolean {
  return Array.isArray(value) && shape !== undefined && !shape.list
}

/** A fault when what a field writes of the model is of another type than its member. */
function checkConverted(
  rule: FieldRule,
  wire: string,
  found: MemberDescription,
  path: YamlPath,
  { rule: { fact }, all }: Members,
): void {
  if (rule.table !== undefined) {
    checkTable(rule.table, wire, found, [...path, 'table'], all)
    return
  }
  const shape = rule.is === undefined ? undefined : modelPath(fact, rule.is, all.file.dialect)?.shape
  const at = rule.as !== undefined ? [...path, 'as'] : Object.keys(rule).length === 1 ? path : [...path, 'is']
  if (shape === undefined || shape.map) return
  if (shape.list) {
    if (found.accepts(['a'])) return
    all.fault(at, 'mapping.conversion', `${rule.is} is a list, and ${wire} is none`, `want ${found.wants}`)
    return
  }
  const conversion = rule.as ?? defaultConversion(shape)
  if (conversion !== undefined && !conversionFits(conversion, shape)) return
  const sample = conversion === undefined ? 1 : WIRE_SAMPLES[conversion]
  if (found.accepts(sample)) return
  const what = `${conversion ?? shape.type} writes a ${typeof sample}, which ${wire} cannot be`
  all.fault(at, 'mapping.conversion', what, conversionsTo(found, shape))
}

function conversionsTo(found: MemberDescription, shape: FieldShape): string {
  const fitting = CONVERSIONS.filter((each) => conversionFits(each, shape) && found.accepts(WIRE_SAMPLES[each]))
  const want = `want ${found.wants}`
  return fitting.length === 0 ? `${want}: name another model field, or use a table` : `${want}: ${fitting.join(', ')}`
}

function checkTable(name: string, wire: string, found: MemberDescription, path: YamlPath, all: MembersToCheck): void {
  const table = all.file.tables?.[name]
  const wrong = table === undefined ? undefined : tableRows(table).find(([value]) => !found.accepts(value))
  if (wrong === undefined) return
  const what = `the table ${name} gives ${JSON.stringify(wrong[0])}, which ${wire} cannot be`
  all.fault(path, 'mapping.value', what, `want ${found.wants}`)
}

/** Whether a value that a rule writes is of its member's type; a fault when not. */
function checkWritten(
  value: Scalar | readonly [],
  wire: string,
  found: MemberDescription,
  path: YamlPath,
  all: MembersToCheck,
): boolean {
  const { fault } = all
  const written = filled(value, all)
  if (found.accepts(written)) return true
  fault(path, 'mapping.value', `${wire} cannot be ${JSON.stringify(written)}`, `want ${found.wants}`)
  return false
}

function checkCases({ cases, fields }: MessageRule, path: YamlPath, members: Members): void {
  for (const [name, rule] of Object.entries(cases ?? {})) {
    // A case that only reads may look for what peers send beyond their types.
    if (rule === null || rule.only === 'in') continue
    for (const part of ['wire', 'also'] as const) {
      for (const [wire, test] of Object.entries(rule[part] ?? {})) {
        const at = [...path, name, part, wire]
        const isPlaced = (fields?.[wire] ?? null) !== null
        const found = isPlaced ? members.find(wire) : members.need(wire, at)
        const value = exactValue(test)
        if (value !== undefined && found?.exists) checkWritten(value, wire, found, at, members.all)
      }
    }
  }
}

function checkCarrier({ carry }: MessageRule, path: YamlPath, members: Members): void {
  if (carry === undefined) return
  const found = members.need(carry.at, path, 'value')
  if (found === undefined || found.accepts({ [`${carry.prefix}x`]: 'text' })) return
  const what = `${carry.at} cannot hold texts by names of ours`
  members.all.fault(path, 'mapping.field', what, 'name a map of texts')
}

function checkLists({ each, columns }: MessageRule, path: YamlPath, members: Members): void {
  const lists: (readonly [string, YamlPath, 'key' | 'value'])[] =
    each === undefined ? [] : [[each, [...path, 'each'], 'value']]
  for (const [name, { fields }] of Object.entries(columns ?? {}))
    for (const wire of Object.keys(fields)) lists.push([wire, [...path, 'columns', name, 'fields', wire], 'key'])
  for (const [wire, at, place] of lists) {
    const found = members.need(wire, at, place)
    if (found === undefined || found.accepts([])) continue
    members.all.fault(at, 'mapping.field', `${wire} is no list`, `want ${found.wants}`, place)
  }
}
