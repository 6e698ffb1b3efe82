import type { ReportFault } from './checker.js'
import { type Asked, includesAsked } from './match.js'
import type { MappingFile, MessageRule } from './schema.js'

/** Faults of messages that an earlier message takes before them, so that nothing ever comes to them. */
export function checkTwins(file: MappingFile, isSure: (name: string) => boolean, fault: ReportFault): void {
  const before: { name: string; rule: MessageRule }[] = []
  for (const [name, rule] of Object.entries(file.messages)) {
    if (rule === null || !isSure(name)) continue
    const twin = before.find((each) => takesAll(each.rule, rule))
    if (twin !== undefined) {
      const what = `nothing ever comes to ${name}: every message it would read is read by ${twin.name} before`
      fault(['messages', name], 'mapping.dead-rule', what, 'tell them apart by address, match, class or list', 'key')
    }
    before.push({ name, rule })
  }
}

/** Whether the earlier rule takes every message that the later one would. */
function takesAll(earlier: MessageRule, later: MessageRule): boolean {
  if (earlier.class !== later.class || earlier.root !== later.root) return false
  if (earlier.words !== undefined || later.words !== undefined) {
    if (earlier.words?.table !== later.words?.table) return false
  }
  const isThere = earlier.anywhere || (!later.anywhere && sameEntries(earlier.address, later.address))
  if (!isThere) return false
  const matched = Object.entries(earlier.match ?? {})
  const takes = ([path, asked]: [string, Asked]) => includesAsked(asked, later.match?.[path])
  if (!matched.every(takes)) return false
  const lists = listsOf(earlier)
  const others = listsOf(later)
  // A message of lists is known by having one of them.
  return lists.length === 0 || (others.length > 0 && others.every((list) => lists.includes(list)))
}

function sameEntries(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

function listsOf(rule: MessageRule): string[] {
  const columns = Object.values(rule.columns ?? {}).flatMap((each) => Object.keys(each.fields))
  return rule.each === undefined ? columns : [rule.each, ...columns]
}
