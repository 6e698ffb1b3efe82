import type { AskAri } from './ari-request.js'
import type { AsteriskEvent } from './asterisk-samples.js'
import { Trouble } from './trouble.js'

/** A call that the demo has a real Asterisk make, to itself: no telephone rings and no dialplan is needed. */
export interface LocalCall {
  /** What is told of it, event by event; the call goes on when nothing more comes. */
  events(): AsyncIterable<AsteriskEvent>
  /** Ends what is left of it. */
  clear(): Promise<void>
}

/** Time for the first event of a step to come. Milliseconds. */
const FIRST_MS = 2000
/** Time after which a step has no more to tell. Milliseconds. */
const QUIET_MS = 200
/**
 * Both ends are in our application: Asterisk makes a context of its own for each, `stasis-APP`, whose extensions
 * lead there. `next` gives the next event, or undefined when none comes in time; `where` names the Asterisk.
 */
export function placeCall(
  app: string,
  ask: AskAri,
  where: string,
  next: (timeoutMs: number) => Promise<string | undefined>,
): LocalCall {
  const [near, far] = [`${app}-1`, `${app}-2`]
  const steps = [
    () =>
      ask('POST', 'channels', {
        endpoint: `Local/2000@stasis-${app}/n`,
        app,
        channelId: near,
        otherChannelId: far,
        callerId: '"Ann" <1000>',
      }),
    () => ask('POST', `channels/${far}/answer`),
    () => ask('DELETE', `channels/${far}`),
  ]

  let running: Promise<void> = Promise.resolve()
  let isOver = false
  return {
    async *events() {
      for (const step of steps) {
        if (isOver) return
        running = step()
        await running
        let body = await next(FIRST_MS)
        if (body === undefined) throw new Trouble(`${where} says nothing of the call`)
        for (; body !== undefined; body = await next(QUIET_MS)) yield { body }
      }
    },
    async clear() {
      isOver = true
      await running.catch(() => undefined) // whoever follows the events is told
      for (const channel of [near, far]) await ask('DELETE', `channels/${channel}`).catch(() => undefined)
    },
  }
}
