import type { DescribeMember } from '../codecs/codec.js'
import { type Fault, nearest, type YamlPath } from '../config/index.js'
import { checkMembers } from './check-members.js'
import { checkMessage } from './check-message.js'
import { checkSettings } from './check-settings.js'
import { checkTables } from './check-tables.js'
import { checkTwins } from './check-twins.js'
import { messageChecker, type ReportFault } from './checker.js'
import { expandParts, nearestPart } from './parts.js'
import type { Repaired } from './repair.js'
import type { MappingFile, MessageRule, SettingValues } from './schema.js'

/** What tells a message from others. */
const IDENTITY = ['address', 'match', 'class', 'root', 'each', 'columns', 'words', 'anywhere']

/** Names that stand for something else in place of a dialect's. */
const RESERVED = ['facts']

/**
 * Every fault of a mapping that its form alone does not show. Nothing is said of what may only
 * seem to be so because something else could not be read. Without `describe` nothing is known of
 * the members of messages.
 */
export function checkMapping(
  repaired: Repaired & { readonly data: MappingFile },
  given: SettingValues,
  describe?: DescribeMember,
): Fault[] {
  const { kindless, isCut } = repaired
  const { file, source, unknown, clashes, used } = expandParts(repaired.data, repaired.source)
  const faults: Fault[] = []
  const fault: ReportFault = (path, code, what, right, at) =>
    void faults.push(source.fault(path, code, what, right, at))
  const isWhole = source.complete && !isCut([])
  checkHead(file, fault)
  checkSettings({ file, given, raw: source.value, isWhole: source.complete }, fault)
  for (const { path, name } of unknown) {
    const near = nearestPart(file, name)
    const right = near === undefined ? 'describe it under `parts`' : `did you mean ${near}?`
    fault(path, 'mapping.field', `there is no part ${name}`, right, 'key')
  }
  for (const { path, rule, first, second } of clashes) {
    const what = `${rule} of the part ${second} is never used, for the part ${first} has one, too`
    fault(path, 'mapping.contradiction', what, 'rename one of them, or say in the message which is meant', 'key')
  }
  const usedTables = new Set<string>()
  const openTables = new Set<string>()
  const hasClasses = !isCut(['codec', 'classes']) && isRead(source.value, 'codec')
  const isPlaced = (name: string) =>
    source.isWhole(['messages', name]) && !IDENTITY.some((key) => isCut(['messages', name, key]))
  for (const [name, rule] of Object.entries(file.messages)) {
    if (rule === null) continue
    const shared = { file, fault, usedTables, openTables, hasClasses }
    const checker = messageChecker(rule.fact, !kindless.has(name), shared)
    const at = ['messages', name]
    const mayBeSaid = (path: string) =>
      kindless.has(name) || !source.isWhole(at) || isMentioned(repaired, at, rule, path)
    const settings = { ...file.settings, ...given }
    if (describe !== undefined) checkMembers(rule, at, { describe, file, settings, fault })
    checkMessage(rule, at, checker, { mayBeSaid, hasAddress: !isCut([...at, 'address']) })
  }
  checkTwins(file, isPlaced, fault)
  checkTables(file, { lossy: tablesOfLossyRules(file), open: openTables }, fault)
  checkUnusedParts(repaired.data, used, isWhole, fault)
  checkUnused(file, usedTables, mentionedTables(source.value, file), source.complete, fault)
  checkRemovals(source.value, fault)
  if (Object.keys(file.messages).length === 0 && isWhole)
    fault(['messages'], 'mapping.missing', 'the mapping has no messages', 'describe at least one', 'key')
  return faults
}

/** Whether the file has a mapping under a key. */
function isRead(value: unknown, key: string): boolean {
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
  return typeof found === 'object' && found !== null
}

/** Whether what was left out of a message, or of a part it uses, mentions a name. */
function isMentioned({ isCutMention }: Repaired, at: YamlPath, rule: MessageRule, name: string): boolean {
  const parts = [...Object.keys(rule.use ?? {}), ...Object.keys(rule.item?.use ?? {})]
  return isCutMention(at, name) || parts.some((part) => isCutMention(['parts', part], name))
}

function checkUnusedParts(file: MappingFile, used: ReadonlySet<string>, isWhole: boolean, fault: ReportFault): void {
  if (!isWhole) return
  for (const name of Object.keys(file.parts ?? {})) {
    if (used.has(name)) continue
    fault(['parts', name], 'mapping.dead-rule', `no message uses the part ${name}`, 'use it or remove it', 'key')
  }
}

function checkHead({ dialect, codec }: MappingFile, fault: ReportFault): void {
  if (RESERVED.includes(dialect))
    fault(['dialect'], 'mapping.value', `${dialect} is the name of the neutral model`, 'choose another name')
  if (codec.classes !== undefined && codec.name !== 'ruby-yaml')
    fault(['codec', 'classes'], 'mapping.class', `${codec.name} has no classes`, 'remove them', 'key')
}

function checkUnused(
  file: MappingFile,
  used: ReadonlySet<string>,
  mentioned: ReadonlySet<string>,
  isWhole: boolean,
  fault: ReportFault,
): void {
  if (!isWhole) return
  for (const name of Object.keys(file.tables ?? {})) {
    if (used.has(name) || mentioned.has(name)) continue
    fault(['tables', name], 'mapping.dead-rule', `no rule uses the table ${name}`, 'use it or remove it', 'key')
  }
}

/** Tables that the file names anywhere, also in rules that could not be read, misspelt or not. */
function mentionedTables(raw: unknown, file: MappingFile): Set<string> {
  const known = Object.keys(file.tables ?? {})
  const found = new Set<string>()
  visit(raw, (key, value) => {
    if (key !== 'table' || typeof value !== 'string') return
    const meant = known.includes(value) ? value : nearest(value, known)
    if (meant !== undefined) found.add(meant)
  })
  return found
}

function tablesOfLossyRules(file: MappingFile): Set<string> {
  const found = new Set<string>()
  visit(file.messages, (_, value) => {
    if (typeof value === 'object' && value !== null && 'lossy' in value && 'table' in value)
      found.add(String(value.table))
  })
  return found
}

/** Null removes what a file inherits; where nothing is inherited it is a forgotten value. */
function checkRemovals(value: unknown, fault: ReportFault): void {
  const parents = new Set(['messages', 'parts', 'use', 'fields', 'cases', 'infer', 'columns', 'tables'])
  visit(value, (key, each, path) => {
    const parent = path.at(-2)
    const isRow = path.length === 3 && path[0] === 'tables'
    if (each !== null || (!isRow && !(typeof parent === 'string' && parents.has(parent)))) return
    const what = `${key} has no value, and there is no inherited ${key} to remove`
    fault(
      path,
      'mapping.dead-rule',
      what,
      'give it a value, mind the indentation of the next lines, or remove it',
      'key',
    )
  })
}

function visit(value: unknown, take: (key: string, value: unknown, path: YamlPath) => void, path: YamlPath = []): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, each] of Object.entries(value)) {
    const at = [...path, Array.isArray(value) ? Number(key) : key]
    take(key, each, at)
    visit(each, take, at)
  }
}
