/** What either end of a call may do while it stands. */
export type TalkStep =
  | { readonly pauseMs: number }
  | 'hold'
  | 'unhold'
  /** Presses keys one after the other, by SIP INFO (default) or in the media (RFC 4733; takes 0.7 s and 0.2 s a key, and root for SIPp's raw sockets). */
  | { readonly keys: string; readonly by?: 'info' | 'media' }
  /** Waits for these keys, one after the other. Such a phone takes keys by SIP INFO alone. */
  | { readonly getsKeys: string }
  /** Sends the other end to an extension (REFER); the server then waits for our BYE. */
  | { readonly transferTo: string }
  /** Says BYE, without a cause as most phones do, or with one of Q.850. */
  | 'hangUp'
  | { readonly hangUp: number }
  /** Waits for BYE. */
  | 'hungUp'

/** What a caller does after its INVITE, in order. */
export type CallerStep =
  | TalkStep
  /** Waits for 180, for 183, for 200. */
  | 'ringing'
  | 'progress'
  | 'answered'
  /** Gives up before the answer. */
  | 'cancel'
  /** Waits for this final answer, e.g. 486. */
  | { readonly refused: number }

/** What a phone does after it got an INVITE, in order. */
export type CalleeStep =
  | TalkStep
  /** Sends 180, 183 with media, 200. */
  | 'ring'
  | 'progress'
  | 'answer'
  /** Waits until the caller gives up. */
  | 'cancelled'
  /** Sends a final answer, e.g. 486 (busy) or 603 (decline). */
  | { readonly refuse: number }
