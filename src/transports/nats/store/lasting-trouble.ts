import { reasonOf } from '../errors.js'

/** What fails for so long is told of. Milliseconds; a change of leaders takes a second or two. */
export const TROUBLE_MS = 3000

/** Looks whether something that is tried again and again fails for long. */
export interface LastingTrouble {
  /** One try; passes on what becomes of it. */
  watch<T>(attempt: () => Promise<T>): Promise<T>
}

/**
 * @param counts whether a failure now is one: while there is no connection nothing can succeed
 * @param tell is told the reason once it fails for long, and undefined with the first success after that
 */
export function lastingTrouble(counts: () => boolean, tell: (reason: string | undefined) => void): LastingTrouble {
  let failsSince: number | undefined
  let isTold = false

  function succeeded(): void {
    failsSince = undefined
    if (isTold) tell(undefined)
    isTold = false
  }

  function failed(error: unknown): void {
    if (!counts()) {
      failsSince = undefined
      return
    }
    failsSince ??= performance.now()
    if (isTold || performance.now() - failsSince < TROUBLE_MS) return
    isTold = true
    tell(reasonOf(error))
  }

  return {
    async watch(attempt) {
      try {
        const result = await attempt()
        succeeded()
        return result
      } catch (error) {
        failed(error)
        throw error
      }
    },
  }
}
