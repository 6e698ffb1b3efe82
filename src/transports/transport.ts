import type { GatewayError } from '../errors.js'

/**
 * Where a frame came from or goes to, in the words of its wire: AMQP `{exchange, key}`,
 * NATS `{subject}` and, on a request, `{subject, reply}`.
 */
export type Address = Readonly<Record<string, string>>

/** One message on a wire: address, text headers, raw body. */
export interface Frame {
  readonly address: Address
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** A frame on its way out, with what the transport needs to deliver it in order and once. */
export interface OutgoingFrame extends Frame {
  /** Frames with equal keys arrive in the order they were sent. Absent: no order is promised. */
  readonly orderKey?: string
  /** Names the message for the receiver's duplicate window; sent as AMQP `messageId` and, on JetStream, `Nats-Msg-Id`. */
  readonly messageId?: string | undefined
  /** Somebody waits for it now: it does not wait for receivers of events to be back. Default false. */
  readonly isReply?: boolean
  /** When what the frame tells happened, UTC milliseconds; sent as the AMQP timestamp (whole seconds on that wire). */
  readonly at?: number | undefined
}

/**
 * What a receiver decides about a frame.
 * - `done`: take it off the source.
 * - `retry`: leave it with the source, which delivers it again (where the source can; else it is lost and counted by the caller).
 * - `reject`: take it off the source; the source's own dead-lettering applies where it has any.
 */
export type Settlement = 'done' | 'retry' | 'reject'

/** A frame that arrived, and the one function that settles it. Settling twice is harmless. */
export interface Delivery {
  readonly frame: Frame
  /** Our receipt, UTC milliseconds. */
  readonly receivedAt: number
  /** The publisher's own time, UTC milliseconds, where the wire carries one. */
  readonly sentAt?: number | undefined
  /** The publisher's own message id, where the wire carries one. */
  readonly messageId?: string | undefined
  /**
   * Its place in a source that numbers what it keeps, from 1: equal for all copies of a message, whoever takes them,
   * and larger for every later message.
   */
  readonly sourceSequence?: number
  readonly redelivered: boolean
  settle(outcome: Settlement): void
}

/**
 * What can happen to a link. `down` carries what is known of the reason.
 * `returned`: a frame was confirmed by the peer although nobody is bound to receive it.
 * `dropped`: a frame arrived while the buffer for unsettled ones was full, and the wire knows no way to keep it.
 * `interrupted`: a source that was `consuming` is not any more, and what it handed out unsettled will come
 * again before anything else. A wire that never sends anything twice keeps consuming over its reconnects.
 * `blocked`: the peer takes nothing for now (AMQP: a memory or disk alarm); sends wait until `unblocked`.
 * `standby`: a source from which another replica takes; nothing is taken here until `consume`. `isDown`: its connection
 * does not stand; without it the link counts as one that stands, also where it needs no connection to stand by.
 * `certificate`: the one that the peer of a new connection showed ends at `until`, UTC milliseconds.
 * `trouble`: something that the link is there for does not work although it is connected; `of` names it, one of a
 * link at a time. `mended` ends it, always, also where the connection goes first.
 */
export type LinkEvent =
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly error?: GatewayError }
  | { readonly kind: 'reconnecting'; readonly attempt: number; readonly delayMs: number }
  | { readonly kind: 'consuming'; readonly source: string }
  | { readonly kind: 'interrupted'; readonly source: string }
  | { readonly kind: 'fault'; readonly error: GatewayError }
  | { readonly kind: 'returned'; readonly frame: Frame }
  | { readonly kind: 'dropped'; readonly frame: Frame }
  | { readonly kind: 'blocked'; readonly reason: string }
  | { readonly kind: 'unblocked' }
  | { readonly kind: 'standby'; readonly isDown?: true }
  | { readonly kind: 'certificate'; readonly until: number }
  | { readonly kind: 'trouble'; readonly of: string; readonly error: GatewayError }
  | { readonly kind: 'mended'; readonly of: string }

/** What a transport reports to whoever started it. Neither function may throw. */
export interface LinkHandlers {
  deliver(delivery: Delivery): void
  report(event: LinkEvent): void
}

/** What became of frames, in their order: undefined where the peer confirmed. */
export type Outcomes = readonly (GatewayError | undefined)[]

/** How a link is opened. */
export interface StartOptions {
  /** Take nothing from sources that one replica alone takes from, until `consume`. Default false. */
  readonly standby?: boolean
  /**
   * Whether it was confirmed lately that this replica is the one that takes: what somebody else took from it is not
   * taken back otherwise. Default: always.
   */
  readonly isConfirmed?: () => boolean
  /**
   * Whether somebody else may mend what no retry of ours can, such as a refused password: then it is reported and tried
   * again, and the start waits. Default: it never waits, and rejects.
   */
  readonly mayMend?: (error: GatewayError) => boolean
}

/** Moves frames between one peer and the gateway. Bodies stay bytes; reconnecting is the transport's own business. */
export interface Transport {
  readonly name: string
  /** Opens the link and begins to consume. Resolves once the first connection stands; rejects only for what no retry can mend. */
  start(handlers: LinkHandlers, options?: StartOptions): Promise<void>
  /**
   * Certificates or credentials of its configuration are others now. What stands goes on as it is, for nothing is lost
   * then and a peer that refuses the new ones does no harm; whatever is opened from now on uses them.
   */
  renew?(): void
  /**
   * Ends a standby: takes from its sources from now on, also over later connections. `missedSince` (UTC
   * milliseconds) is when somebody else took last; what a wire that keeps nothing told since then is a gap.
   * Does nothing where it takes already. Whatever goes wrong is reported, and mended by the transport itself.
   */
  consume(missedSince?: number): void
  /**
   * Stands by: takes nothing more and gives back what is unsettled where the source can have it back; settling
   * that later does nothing. Sending goes on. Resolves when nothing more is delivered, and reports `standby`.
   */
  release(): Promise<void>
  /**
   * Sends a frame. Resolves when the peer has confirmed it; across reconnects the frame is
   * sent again, in order, so a receiver may see it twice but never not at all.
   * @throws GatewayError with fate `reject` when no retry can help, `retry` when the transport was stopped first.
   */
  send(frame: OutgoingFrame): Promise<void>
  /**
   * Sends several frames like `send` each of them, in order, with one promise for all; for wires that carry
   * more than a promise for each would allow. Resolves with what became of each: undefined, or the error
   * that `send` would have thrown. Never rejects.
   */
  sendAll?(frames: readonly OutgoingFrame[]): Promise<Outcomes>
  /** How many frames were handed over and are neither confirmed nor refused. */
  unconfirmed(): number
  /**
   * Stops taking, and resolves once everything taken is settled or the grace period is over; sending
   * still works. A gateway drains all its links before it stops the first, so that what one link took
   * can still leave by another. Idempotent.
   */
  drain(): Promise<void>
  /** Drains, finishes what is being sent (within the grace period), closes. Idempotent. */
  stop(): Promise<void>
}
