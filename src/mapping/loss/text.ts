import type { Claim } from './claims.js'
import type { Condition } from './conditions.js'
import { conditionText } from './fates.js'
import type { FieldLoss, KindLoss, LossReport } from './report.js'

const LEGEND = `survives: said in the target's own words, and read back the same
approximately: said, with something lost that the rule admits
rides along: unseen by receivers of the target, and back when the fact returns
lost: not there any more
Empty texts, and what a setting gives for want of a value, count as not told.`

/** The report as a table for people. */
export function lossText({ from, to, kinds }: LossReport): string {
  const widths: Widths = {
    field: Math.max(0, ...kinds.flatMap(({ fields }) => fields.map(({ field }) => field.length))),
    fate: 'approximately'.length,
  }
  const sections = kinds.map((kind) => kindText(kind, to, widths))
  return `${[`From ${from} to ${to}`, ...sections, LEGEND].join('\n\n')}\n`
}

interface Widths {
  readonly field: number
  readonly fate: number
}

function kindText(kind: KindLoss, to: string, widths: Widths): string {
  if (kind.said === 'never')
    return `${kind.kind}: lost; ${kind.unsaid.map(({ why }) => why).join('; ')}\n  ${namesOf(kind)}`
  const lines = [`${kind.kind}: ${kind.said === 'always' ? 'told' : 'told in part'}`]
  for (const { why, where } of kind.unsaid) lines.push(`  ${to} does not tell it${whereText(where)}: ${why}`)
  for (const field of kind.fields) lines.push(...fieldLines(field, widths))
  const { names, claims } = kind.aside
  const kept = [...names, names.length === 0 ? 'what no rule knows' : 'and what no rule knows'].join(', ')
  for (const claim of claims)
    lines.push(`  kept aside (${kept.replace(', and', ' and')}): ${claim.fate}${asideReason(claim, claims)}`)
  for (const { field, of } of kind.madeUp) lines.push(`  made up where it was not told: ${field} (${of})`)
  return lines.join('\n')
}

function namesOf({ fields, aside }: KindLoss): string {
  return [...fields.map(({ field }) => field), ...aside.names].join(', ')
}

function fieldLines({ field, claims }: FieldLoss, { field: wide, fate: wider }: Widths): string[] {
  return claims.map((claim, i) =>
    `  ${(i === 0 ? field : '').padEnd(wide)}  ${claim.fate.padEnd(wider)} ${reasonText(claim, claims)}`.trimEnd(),
  )
}

function asideReason(claim: Claim, all: readonly Claim[]): string {
  const text = reasonText(claim, all)
  return claim.where === undefined && claim.fate === 'lost' ? `:${text}` : text
}

/** What else is said of a field says where it survives. */
function reasonText({ fate, why, where }: Claim, all: readonly Claim[]): string {
  if (fate === 'survives' && why === undefined) return all.length === 1 ? whereText(where) : ' otherwise'
  if (fate === 'survives') return ` ${why}${whereText(where)}`
  if (fate === 'rides along') return ` in ${why}${whereText(where)}`
  return `${whereText(where)}${why === undefined ? '' : `: ${why}`}`.replace(/^: /, ' ')
}

function whereText(where: readonly Condition[] | undefined): string {
  if (where === undefined) return ''
  const conditions = where.map(conditionText)
  return ` where ${conditions.join(', or ')}`
}

/** Fates of several pairs side by side, as Markdown: a row for each field, fields of like fates together. */
export function lossMatrix(reports: readonly LossReport[]): string {
  const kinds = [...new Set(reports.flatMap((report) => report.kinds.map(({ kind }) => kind)))]
  const head = ['Fact', 'Fields', ...reports.map(({ from, to }) => `${from} → ${to}`)]
  const rows = kinds.flatMap((kind) => {
    const found = reports.map((report) => report.kinds.find((each) => each.kind === kind))
    return matrixRows(found).map(({ names, cells }, i) => [i === 0 ? `\`${kind}\`` : '', names, ...cells])
  })
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function matrixRows(kinds: readonly (KindLoss | undefined)[]): { names: string; cells: string[] }[] {
  const fields = [...new Set(kinds.flatMap((kind) => kind?.fields.map(({ field }) => field) ?? []))]
  const groups = new Map<string, { names: string[]; cells: string[] }>()
  const add = (name: string, claimsIn: (kind: KindLoss | undefined) => readonly Claim[] | undefined) => {
    const cells = kinds.map((kind) => cellOf(claimsIn(kind)))
    const key = cells.join('|')
    const group = groups.get(key) ?? { names: [], cells }
    group.names.push(name)
    groups.set(key, group)
  }
  for (const field of fields) add(`\`${field}\``, (kind) => kind?.fields.find((each) => each.field === field)?.claims)
  add('what is kept aside', (kind) => kind?.aside.claims)
  return [...groups.values()].map(({ names, cells }) => ({ names: names.join(', '), cells }))
}

function cellOf(claims: readonly Claim[] | undefined): string {
  return [...new Set(claims?.map(({ fate }) => fate))].join(' / ')
}
