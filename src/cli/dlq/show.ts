import { EXIT, type ExitCode, type Io } from '../io.js'
import { atEachShelf, CUT, isMeant, type LetterOptions, readConfig } from './errand.js'
import type { Letter } from './letter.js'
import { letterPage, oneLine } from './printing.js'

/** Options of `dlq show`. */
export interface ShowOptions extends LetterOptions {
  readonly raw?: boolean
}

/** Shows everything of the letters of one id, or writes the bytes of the oldest alone. */
export async function showLetter(id: string, options: ShowOptions, io: Io): Promise<ExitCode> {
  const config = readConfig(options, io)
  if (config === undefined) return EXIT.faults
  const found: { readonly letter: Letter; readonly where: string }[] = []
  const code = await atEachShelf(config, options, io, async (store, { name: where }) => {
    const { end } = await store.pass({
      most: Number.POSITIVE_INFINITY,
      selective: true,
      pick: (letter) => (letter.id === id && isMeant(letter, options) ? { letter, fate: 'stays' } : undefined),
      done: async (picked) => void found.push(...picked.map(({ letter }) => ({ letter, where }))),
    })
    if (end !== 'all') io.err(CUT)
  })
  const [oldest, ...others] = found
  if (oldest === undefined) {
    io.err(`error: no dead letter ${oneLine(id)} was found`)
    return EXIT.faults
  }
  if (!options.raw) {
    await io.out(found.map(({ letter, where }) => letterPage(letter, where)).join('\n'))
    return code
  }
  await io.out(oldest.letter.body)
  if (others.length > 0) io.err(`${found.length} letters have this id; these are the bytes of the oldest`)
  return code
}
