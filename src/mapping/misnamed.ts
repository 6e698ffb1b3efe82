import { type Fault, nearest, type YamlPath, type YamlSource } from '../config/index.js'
import { followRenames } from './repair.js'

type Plain = Record<string, unknown>

/** Entries that a site changes by name, and what an entry needs that changes none. */
interface Sort {
  readonly word: string
  readonly needs: readonly string[]
}

const MESSAGE: Sort = { word: 'message', needs: ['address', 'fact'] }
const CASE: Sort = { word: 'case', needs: ['wire', 'model'] }
const COLUMNS: Sort = { word: 'columns', needs: ['fields'] }

/**
 * A site's file with each entry that only a mistyped name keeps from changing one of the base under
 * the name it was meant to have, and a fault for each. What looks like an entry of its own stays.
 */
export function underMeantNames(site: YamlSource, base: unknown): { source: YamlSource; faults: Fault[] } {
  const renames = new Map<string, string>()
  const mistakes: { path: YamlPath; what: string; right: string }[] = []
  const value = copyEntries(site.value, base, [], 'messages', MESSAGE)
  if (renames.size === 0) return { source: site, faults: [] }
  const source = { ...followRenames(site, renames), value }
  const report = ({ path, what, right }: (typeof mistakes)[number]) =>
    source.fault(path, 'mapping.unknown-key', what, right, 'key')
  return { source, faults: mistakes.map(report) }

  function copyEntries(holder: unknown, under: unknown, path: YamlPath, key: string, sort: Sort): unknown {
    const entries = isPlain(holder) ? holder[key] : undefined
    const inherited = isPlain(under) ? under[key] : undefined
    if (!isPlain(holder) || !isPlain(entries) || !isPlain(inherited)) return holder
    const copy: Plain = Object.create(null) as Plain
    for (const [name, entry] of Object.entries(entries)) {
      const meant = meantName(name, entry, { entries, inherited, sort })
      const isMistyped = meant !== undefined && !(meant in copy) && site.isWhole([...path, key, name])
      const at = [...path, key, isMistyped ? meant : name]
      if (isMistyped) {
        renames.set(JSON.stringify(at), name)
        const what = `the base has no ${sort.word} ${name}`
        const right = `did you mean ${meant}? A new one needs ${sort.needs.map((need) => `\`${need}\``).join(' and ')}`
        mistakes.push({ path: at, what, right })
      }
      copy[isMistyped ? meant : name] =
        sort === MESSAGE ? withParts(entry, inherited[isMistyped ? meant : name], at) : entry
    }
    return withEntry(holder, key, copy)
  }

  function withParts(message: unknown, under: unknown, path: YamlPath): unknown {
    const cased = copyEntries(message, under, path, 'cases', CASE)
    const whole = copyEntries(cased, under, path, 'columns', COLUMNS)
    if (!isPlain(whole) || !isPlain(whole.item) || !isPlain(under)) return whole
    return withEntry(whole, 'item', copyEntries(whole.item, under.item, [...path, 'item'], 'cases', CASE))
  }
}

interface Around {
  readonly entries: Plain
  readonly inherited: Plain
  readonly sort: Sort
}

/** The inherited entry that an incomplete one nobody else changes is most likely meant to change. */
function meantName(name: string, entry: unknown, { entries, inherited, sort }: Around): string | undefined {
  if (name in inherited || !isPlain(entry)) return undefined
  const keys = Object.keys(entry)
  if (sort.needs.every((need) => keys.some((key) => key === need || nearest(key, [need]) !== undefined)))
    return undefined
  const free = Object.keys(inherited).filter((each) => !(each in entries))
  return nearest(name, free)
}

function withEntry(holder: Plain, key: string, value: unknown): Plain {
  const copy: Plain = Object.create(null) as Plain
  for (const each of Object.keys(holder)) copy[each] = each === key ? value : holder[each]
  return copy
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
