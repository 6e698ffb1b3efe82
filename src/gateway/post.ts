import { GatewayError } from '../errors.js'
import type { Log, LogFields, Metrics, RouteMetrics, Tracing } from '../telemetry/index.js'
import type { Outcomes, OutgoingFrame, Transport } from '../transports/transport.js'
import type { Kept, Letters } from './state.js'
import { sendTraced } from './traced-send.js'

/** When what letters tell of came, and when they were written, by `performance.now()`. */
export interface Timing {
  /** Absent where no message told it. */
  readonly takenAt: number | undefined
  readonly writtenAt: number
}

/**
 * Sends letters. Resolves when all are confirmed; rejects with the first refusal once every other is settled too.
 * Without `timing` it does not count how long that took.
 */
export type Post = (letters: readonly Letters[], timing?: Timing) => Promise<void>

/** Every frame is sent and counted by itself, also when another of them is refused. */
export function makePost(
  links: ReadonlyMap<string, { readonly transport: Transport }>,
  metrics: Pick<Metrics, 'route' | 'hasRoute' | 'stages'>,
  tracing: Tracing,
  log: Log,
): Post {
  function send(letters: Letters, timing: Timing | undefined): Promise<void> {
    if (letters.frames.length === 0 || (!tracing.isOn && !log.isDebug)) return sendLetters(letters, timing)
    if (!tracing.isOn) return sendLetters(letters, timing).then(() => noteSent(letters, {}))
    return sendTraced(tracing, letters, (frames, { fields }) =>
      sendLetters({ ...letters, frames }, timing).then(() => noteSent(letters, fields)),
    )
  }

  function noteSent({ to, route, frames }: Letters, fields: LogFields): void {
    if (!log.isDebug) return
    for (const { messageId } of frames) log.debug('message sent', { link: to, route, id: messageId, ...fields })
  }

  function sendLetters({ to, route, frames }: Letters, timing: Timing | undefined): Promise<void> {
    const transport = links.get(to)?.transport
    if (transport === undefined) return Promise.reject(noSuchLink(to))
    const counted = route === undefined ? undefined : countedOn(route, to)
    if (frames.length === 0) return Promise.resolve()
    if (frames.length === 1)
      return transport.send(frames[0]!).then(() => {
        counted?.sent()
        confirmed(counted, timing)
      })
    const all = transport.sendAll === undefined ? sendEach(transport, frames) : transport.sendAll(frames)
    return all.then((outcomes) => {
      for (const refusal of outcomes) if (refusal === undefined) counted?.sent()
      const refusal = outcomes.find((each) => each !== undefined)
      if (refusal !== undefined) throw refusal
      confirmed(counted, timing)
    })
  }

  function confirmed(counted: RouteMetrics | undefined, timing: Timing | undefined): void {
    if (timing === undefined) return
    const at = performance.now()
    metrics.stages.confirm(at - timing.writtenAt)
    if (timing.takenAt !== undefined) counted?.delivered(at - timing.takenAt)
  }

  /** A route that another replica has by newer rules may not be known here. */
  function countedOn(route: string, to: string): RouteMetrics | undefined {
    return metrics.hasRoute(route, to) ? metrics.route(route, to) : undefined
  }

  return (letters, timing) =>
    letters.length === 1
      ? send(letters[0]!, timing)
      : Promise.all(letters.map((each) => send(each, timing))).then(() => undefined)
}

/** What a replica with an older configuration left may be for a link that there is no more. */
function noSuchLink(to: string): GatewayError {
  return new GatewayError('link.refused', `there is no link "${to}" any more`)
}

/** Says what follows from a change once nothing of it can be lost any more. */
export function sayOnceKept(
  { written, said }: Kept,
  letters: readonly Letters[],
  post: Post,
  timing?: Timing,
): Promise<void> {
  return written === undefined
    ? post(letters, timing)
    : written.then(() => post(letters, timing).then(said, refused(said)))
}

/** What its receiver refused for good nobody need say again. */
function refused(said: Kept['said']): (error: unknown) => never {
  return (error) => {
    // What becomes of the message is kept before, or a journal would say that it was said and know no more of it.
    if (!(error instanceof GatewayError) || error.fate === 'reject')
      setImmediate(() => void said()?.catch(() => undefined))
    throw error
  }
}

async function sendEach(transport: Transport, frames: readonly OutgoingFrame[]): Promise<Outcomes> {
  return Promise.all(
    frames.map((frame) =>
      transport.send(frame).then(
        () => undefined,
        (error: GatewayError) => error,
      ),
    ),
  )
}
