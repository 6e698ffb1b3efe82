import type { Told } from '../state.js'
import { sayAnnounced } from './announced.js'
import { sayToApplication } from './application.js'
import type { Sequence } from './occasion.js'
import { sayPlain } from './plain.js'

export type { Occasion, Sequence, SequenceOptions } from './occasion.js'

/** Receivers whose dialect is not named here take things as they come. */
const SEQUENCES: Readonly<Record<string, Sequence>> = { xcc: sayAnnounced, stasis: sayToApplication }

/** The sequence rules of a target dialect. */
export function sequenceFor(dialect: string): Sequence {
  return SEQUENCES[dialect] ?? sayPlain
}

/** A target that was told nothing yet. */
export function nothingTold(): Told {
  return { opened: false, closed: false, states: [], held: false, ready: false }
}
