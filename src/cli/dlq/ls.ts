import { EXIT, type ExitCode, type Io } from '../io.js'
import { atEachShelf, CUT, isMeant, type LetterOptions, readConfig } from './errand.js'
import { type Letter, withoutBody } from './letter.js'
import { letterJson, letterLine, oneLine } from './printing.js'
import type { Pass } from './store.js'

/** Options of `dlq ls`. */
export interface ListOptions extends LetterOptions {
  readonly json?: boolean
  readonly summary?: boolean
}

/** Letters of one link and code. */
interface Group {
  readonly link: string | undefined
  readonly code: string | undefined
  count: number
  first: string | undefined
  last: string | undefined
}

/** Lists letters, oldest first at each place, or counts them by link and code. */
export async function listLetters(options: ListOptions, io: Io): Promise<ExitCode> {
  const config = readConfig(options, io)
  if (config === undefined) return EXIT.faults
  const groups = new Map<string, Group>()
  const write = options.json ? letterJson : letterLine
  let total = 0
  let isCut = false
  const code = await atEachShelf(config, options, io, async (store) => {
    const pass: Pass = {
      most: (options.limit ?? Number.POSITIVE_INFINITY) - total,
      selective: options.code !== undefined || options.link !== undefined,
      pick: (letter) => (isMeant(letter, options) ? { letter: withoutBody(letter), fate: 'stays' } : undefined),
      async done(picked) {
        total += picked.length
        for (const { letter } of picked) {
          if (options.summary) count(groups, letter)
          else await io.out(write(letter))
        }
      },
    }
    const { end } = await store.pass(pass)
    isCut ||= end !== 'all'
  })
  for (const group of sorted(groups)) await io.out(options.json ? `${JSON.stringify(group)}\n` : groupLine(group))
  if (!options.json) await io.out(`${total} ${total === 1 ? 'dead letter' : 'dead letters'}\n`)
  if (isCut) io.err(CUT)
  return code
}

function count(groups: Map<string, Group>, { link, code, at }: Letter): void {
  const key = JSON.stringify([link, code])
  const group = groups.get(key) ?? { link, code, count: 0, first: at, last: at }
  groups.set(key, group)
  group.count++
  if (at === undefined) return
  if (group.first === undefined || at < group.first) group.first = at
  if (group.last === undefined || at > group.last) group.last = at
}

function sorted(groups: ReadonlyMap<string, Group>): Group[] {
  return [...groups.values()].sort((a, b) => b.count - a.count)
}

function groupLine({ count, link = '-', code = '-', first = '-', last = '-' }: Group): string {
  const time = first === last ? first : `${first} to ${last}`
  return `${String(count).padStart(8)}  ${oneLine(code).padEnd(18)}  ${oneLine(link).padEnd(12)}  ${oneLine(time)}\n`
}
