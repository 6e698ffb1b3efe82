import type { LinkEvent } from '../transports/transport.js'

/** Follows how long a link we take from was out of reach. */
export interface Absence {
  /** We take from it from now on. @param since when somebody else took last, UTC milliseconds */
  begin(since: number | undefined): void
  report(event: LinkEvent): void
  /** We take from it no more. */
  end(): void
}

/** What is done about it. Times are UTC milliseconds. */
export interface AbsenceParts {
  /** In which silence is noticed: so much earlier something may have been missed. Milliseconds. */
  readonly noticedMs: number
  /** What was told in this time may have passed us by. Absent where the wire or its transport tells it itself. */
  readonly missed?: ((from: number, until: number, reason: string) => void) | undefined
  /** After so long what was going on there counts as over. Milliseconds. */
  readonly awayMs: number
  /** It stayed away for that long. */
  readonly gone?: (() => void) | undefined
  readonly now: () => number
}

/** Watches one link. */
export function watchAbsence({ noticedMs, missed, awayMs, gone, now }: AbsenceParts): Absence {
  /** Another replica's clock may be ahead of ours. */
  const tellMissed = (from: number, reason: string) => missed?.(Math.min(from, now()), now(), reason)
  let isOurs = false
  let isUp = false
  let awaySince: number | undefined
  /** Somebody else took until then, and we do not take yet. */
  let untakenSince: number | undefined
  let timer: NodeJS.Timeout | undefined

  function wait(): void {
    if (gone === undefined || isUp || !isOurs) return
    timer ??= setTimeout(gone, awayMs).unref()
  }

  function stopWaiting(): void {
    clearTimeout(timer)
    timer = undefined
  }

  return {
    begin(since) {
      isOurs = true
      awaySince = isUp ? undefined : since
      untakenSince = isUp ? since : undefined
      wait()
    },
    report({ kind }) {
      if (kind === 'down') {
        isUp = false
        if (isOurs) awaySince ??= untakenSince ?? now() - noticedMs
        untakenSince = undefined
        wait()
      } else if (kind === 'up') {
        isUp = true
        stopWaiting()
        if (isOurs && awaySince !== undefined) tellMissed(awaySince, 'the connection was lost')
        awaySince = undefined
      } else if (kind === 'consuming' && untakenSince !== undefined) {
        // Not sooner: what is told while a subscription is on its way to the server passes us by as well.
        tellMissed(untakenSince, 'another replica took before')
        untakenSince = undefined
      }
    },
    end() {
      isOurs = false
      awaySince = undefined
      untakenSince = undefined
      stopWaiting()
    },
  }
}
