import type { Config } from '../../config/index.js'
import { EXIT, type ExitCode, type Io, linesOf, WrongUse } from '../io.js'
import { atEachShelf, CUT, type Errand, isMeant, type LetterOptions, readConfig } from './errand.js'
import { type Letter, withoutBody } from './letter.js'
import { oneLine } from './printing.js'
import type { Shelf } from './shelves.js'
import type { LetterFate, Pass, Picked } from './store.js'
import { type NoWayBack, wayBack } from './way-back.js'

/** Options of `dlq replay` and `dlq drop`. */
export interface TakeOptions extends LetterOptions {
  readonly all?: boolean
  readonly yes?: boolean
}

/** What is to be taken, and what becomes of it. */
interface Task {
  readonly ids: readonly string[]
  readonly options: TakeOptions
  readonly config: Config
  /** Completes `N dead letters …`. */
  readonly done: string
  decide(letter: Letter, shelf: Shelf): LetterFate | NoWayBack
}

/** Ids told with a reason, before the rest is only counted. */
const MOST_EXAMPLES = 3

/** Letters that a command was to take and leaves where they are, by reason. */
type Refusals = Map<string, { count: number; readonly examples: string[] }>

/** Sends letters again, in their order. */
export async function replayLetters(ids: readonly string[], options: TakeOptions, io: Io): Promise<ExitCode> {
  checkChoice(ids, options)
  const config = readConfig(options, io)
  if (config === undefined) return EXIT.faults
  const now = Date.now()
  const decide: Task['decide'] = (letter, shelf) => wayBack(letter, config, shelf, now)
  return takeLetters({ ids, options, config, done: 'sent again', decide }, io)
}

/** Takes letters away for good. */
export async function dropLetters(ids: readonly string[], options: TakeOptions, io: Io): Promise<ExitCode> {
  checkChoice(ids, options)
  const config = readConfig(options, io)
  if (config === undefined) return EXIT.faults
  if (options.all && !options.yes && !(await isSure(options, io))) {
    io.err('nothing was dropped')
    return EXIT.faults
  }
  return takeLetters({ ids, options, config, done: 'dropped', decide: () => 'goes' }, io)
}

function checkChoice(ids: readonly string[], { all = false }: TakeOptions): void {
  if ((ids.length === 0) !== all) throw new WrongUse('want either IDs or --all')
}

/** Asks on a terminal. @throws WrongUse where there is none */
async function isSure({ code, link }: TakeOptions, io: Io): Promise<boolean> {
  const isTerminal = 'isTTY' in io.stdin && io.stdin.isTTY === true
  if (!isTerminal) throw new WrongUse('--all wants --yes where nobody can be asked')
  const which = `${code === undefined ? '' : ` with code ${code}`}${link === undefined ? '' : ` of link ${link}`}`
  io.err(`Take away all dead letters${which} for good? Type yes:`)
  for await (const { bytes } of linesOf(io.stdin)) return new TextDecoder().decode(bytes).trim() === 'yes'
  return false
}

async function takeLetters(task: Task, io: Io): Promise<ExitCode> {
  const { options, done } = task
  const missing = new Set(task.ids)
  const refusals: Refusals = new Map()
  let taken = 0

  /** Goes on until a pass is through: one that wants more than memory has room for ends early. */
  const errand: Errand = async (store, shelf) => {
    let refused: Refusals
    let within: number | undefined
    for (;;) {
      const before = taken
      refused = new Map()
      const pass: Pass = {
        most: (options.limit ?? Number.POSITIVE_INFINITY) - taken,
        selective: true,
        pick: (letter) => pickFor(task, shelf, letter, missing, refused),
        done: async ({ length }) => {
          taken += length
        },
      }
      const passed = await store.pass(pass, within)
      if (passed.end !== 'all' && taken === before) io.err(CUT)
      if (passed.end === 'all' || taken === before) break
      within = passed.left
    }
    for (const [reason, { count, examples }] of refused) refuse(refusals, reason, count, examples)
  }

  const code = await atEachShelf(task.config, options, io, errand)
  await io.out(`${taken} ${taken === 1 ? 'dead letter' : 'dead letters'} ${done}\n`)
  tellRefusals(refusals, done, io)
  for (const id of missing) io.err(`error: no dead letter ${oneLine(id)} was found`)
  return refusals.size + missing.size > 0 ? EXIT.faults : code
}

function pickFor(
  { options, decide, ids }: Task,
  shelf: Shelf,
  letter: Letter,
  missing: Set<string>,
  refused: Refusals,
): Picked | undefined {
  if ((!options.all && !ids.includes(letter.id)) || !isMeant(letter, options)) return undefined
  missing.delete(letter.id)
  const fate = decide(letter, shelf)
  if (typeof fate === 'string') return { letter: withoutBody(letter), fate }
  if ('to' in fate) return { letter, fate }
  refuse(refused, fate.reason, 1, [letter.id])
  return undefined
}

function refuse(refusals: Refusals, reason: string, count: number, ids: readonly string[]): void {
  const told = refusals.get(reason) ?? { count: 0, examples: [] }
  refusals.set(reason, told)
  told.count += count
  told.examples.push(...ids.slice(0, MOST_EXAMPLES - told.examples.length))
}

function tellRefusals(refusals: Refusals, done: string, io: Io): void {
  for (const [reason, { count, examples }] of refusals) {
    const rest = count > examples.length ? ` and ${count - examples.length} more` : ''
    io.err(`error: ${examples.map(oneLine).join(', ')}${rest} not ${done}: ${oneLine(reason)}`)
  }
}
