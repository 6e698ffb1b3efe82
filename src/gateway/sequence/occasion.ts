import type { ChannelFact, Fact } from '../../model/index.js'
import type { CallView, Told } from '../state.js'

/** What a route asks of the sequence towards its target. */
export interface SequenceOptions {
  /** Also announce loopback channels. */
  readonly loopback: boolean
  /** The source sends no account of a call at its end, so we do. */
  readonly makeCdr: boolean
  /** Where the account stands. */
  readonly cdrOrder: 'before-end' | 'after-end'
  /** Announce only channels that are under control or on offer, or that a controller had made. */
  readonly onlyControllable: boolean
  /** Said with the first event of a call that its receivers may watch but not steer. */
  readonly steerable: boolean
}

/** What happened, what is known since, and what the target was told so far. */
export interface Occasion {
  readonly fact: ChannelFact
  readonly view: CallView
  readonly told: Told
}

/**
 * What to tell a target about a channel, in order; `told` is changed to match. Each kind of receiver
 * has rules of its own about sequences, whatever the source did.
 */
export type Sequence = (occasion: Occasion, options: SequenceOptions) => Fact[]
