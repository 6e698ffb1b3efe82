import { type Config, formatFault, loadConfig } from '../../config/index.js'
import { GatewayError } from '../../errors.js'
import { EXIT, type ExitCode, type Io, WrongUse } from '../io.js'
import type { Letter } from './letter.js'
import { oneLine } from './printing.js'
import { type Shelf, shelvesOf } from './shelves.js'
import type { LetterStore } from './store.js'

/** Options that all commands on letters share. */
export interface LetterOptions {
  readonly config: string
  readonly code?: string
  readonly link?: string
  readonly limit?: number
}

/** What a command does at one place where letters are kept. */
export type Errand = (store: LetterStore, shelf: Shelf) => Promise<void>

/** Told where AMQP does not let us see all: what stays is held while the rest is looked at, and that is bounded. */
export const CUT = 'There are more: AMQP shows no more than 65,535 messages of a queue at a time.'

/** Whether a letter is meant by code and link. */
export function isMeant({ code, link }: Letter, options: LetterOptions): boolean {
  return (options.code ?? code) === code && (options.link ?? link) === link
}

/** Reads the configuration; undefined where it has faults, which are told. */
export function readConfig({ config: file }: LetterOptions, io: Io): Config | undefined {
  const { config, faults = [] } = loadConfig(file, io.env)
  for (const fault of faults) io.err(formatFault(fault))
  return config
}

/**
 * Runs an errand at each place of a configuration where letters are kept, one after the other. A place that fails is
 * told of and does not keep the others from their turn.
 */
export async function atEachShelf(config: Config, options: LetterOptions, io: Io, errand: Errand): Promise<ExitCode> {
  const shelves = shelvesOf(config, options.link)
  if (shelves.length === 0) throw new WrongUse('no link of this configuration keeps dead letters')
  let code: ExitCode = EXIT.fine
  for (const shelf of shelves) {
    try {
      await atShelf(shelf, io, errand)
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      io.err(`error: ${shelf.name}: ${oneLine(error.message)}`)
      code = EXIT.faults
    }
  }
  return code
}

async function atShelf(shelf: Shelf, io: Io, errand: Errand): Promise<void> {
  const store = await shelf.open((text) => io.err(text))
  if (store === undefined) {
    io.err(
      `${shelf.name}: no stream takes this subject, so its letters are kept by nobody; \`deliver: jetstream\` keeps them, or a stream of yours`,
    )
    return
  }
  try {
    await errand(store, shelf)
  } finally {
    await store.close()
  }
}
