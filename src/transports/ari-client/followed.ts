import type { Subscriptions } from './subscriptions.js'

/** Channels that are subscribed to one by one, so that their ends are told. */
export interface Followed {
  /** Follows a channel that lives for all we know. */
  add(id: string): Promise<void>
  /** Those that Asterisk did not know when they were to be followed. Lists may go on showing them as living. */
  readonly dead: ReadonlySet<string>
  /** Forgets some of the dead: no list shows them any more. */
  forget(ids: readonly string[]): void
  /** From now on no end is told of. */
  close(): void
}

/** Ends that nobody tells are told of together, after this pause. Milliseconds. */
const UNTOLD_MS = 500

/** @param untold is called when channels have ended of which Asterisk says nothing: a picture without them does. */
export function makeFollowed(subscriptions: Pick<Subscriptions, 'addChannel'>, untold: () => void): Followed {
  const dead = new Set<string>()
  let pause: NodeJS.Timeout | undefined
  let isClosed = false
  return {
    dead,
    async add(id) {
      dead.delete(id) // ids can be chosen, so one that died may begin anew
      if ((await subscriptions.addChannel(id)) || isClosed) return
      dead.add(id)
      pause ??= setTimeout(() => {
        pause = undefined
        untold()
      }, UNTOLD_MS)
    },
    forget(ids) {
      for (const id of ids) dead.delete(id)
    },
    close() {
      isClosed = true
      clearTimeout(pause)
    },
  }
}
