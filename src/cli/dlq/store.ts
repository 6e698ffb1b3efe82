import { GatewayError } from '../../errors.js'
import type { Letter } from './letter.js'

/** A letter on its way back to the gateway. */
export interface Resend {
  /** The queue (AMQP) or the subject (NATS) that the gateway takes from. */
  readonly to: string
}

/** What becomes of a letter: it stays, it goes for good, or it is sent again and then goes. */
export type LetterFate = 'stays' | 'goes' | Resend

/** A letter that a pass is about. */
export interface Picked {
  readonly letter: Letter
  readonly fate: LetterFate
}

/** One way through the letters of a store, oldest first. */
export interface Pass {
  /** How many letters it wants at most. */
  readonly most: number
  /** Whether it may want some and not others. */
  readonly selective: boolean
  /** Says what becomes of a letter; undefined: it is not wanted, and stays. Its bytes live as long as what is answered. */
  pick(letter: Letter): Picked | undefined
  /** Told of letters whose fate has come about, in their order. */
  done(picked: readonly Picked[]): Promise<void>
}

/** How far a pass came. */
export interface Passed {
  /** Letters that were there when it began and still are. */
  readonly left: number
  /** `all`: it is through. `again`: there was no room for all that it wanted; another pass goes on. `blocked`: it could not see all. */
  readonly end: 'all' | 'again' | 'blocked'
}

/** Where dead letters are kept, opened for one command. */
export interface LetterStore {
  /**
   * Goes through the letters that are there now. Whatever breaks off, no letter is lost: one that was sent again may
   * stay, and none goes before the broker has confirmed what became of it.
   * @param within how many letters are looked at, at most; by default all
   * @throws GatewayError
   */
  pass(pass: Pass, within?: number): Promise<Passed>
  /** Idempotent. */
  close(): Promise<void>
}

/** A failure as the gateway names it; `what` names the action and the thing. */
export function refused(what: string, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new GatewayError('link.refused', `${what}: ${reason}`, { cause: error })
}
