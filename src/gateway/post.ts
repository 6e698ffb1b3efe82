import { GatewayError } from '../errors.js'
import type { Metrics } from '../telemetry/index.js'
import type { OutgoingFrame, Transport } from '../transports/transport.js'
import type { Kept, Letters } from './state.js'

/** Sends letters. Resolves when all are confirmed; rejects with the first refusal once every other is settled too. */
export type Post = (letters: readonly Letters[]) => Promise<void>

/** Every frame is sent and counted by itself, also when another of them is refused. */
export function makePost(
  links: ReadonlyMap<string, { readonly transport: Transport }>,
  metrics: Pick<Metrics, 'route' | 'hasRoute'>,
): Post {
  const uncounted = () => undefined

  function send({ to, route, frames }: Letters): Promise<void> {
    const transport = links.get(to)?.transport
    if (transport === undefined) return Promise.reject(noSuchLink(to))
    const sent = route === undefined ? uncounted : sentOn(route, to)
    if (frames.length === 0) return Promise.resolve()
    if (frames.length === 1) return transport.send(frames[0]!).then(sent)
    if (transport.sendAll === undefined) return sendEach(sent, transport, frames)
    return transport.sendAll(frames).then((outcomes) => {
      for (const refusal of outcomes) if (refusal === undefined) sent()
      const refusal = outcomes.find((each) => each !== undefined)
      if (refusal !== undefined) throw refusal
    })
  }

  /** A route that another replica has by newer rules may not be known here. */
  function sentOn(route: string, to: string): () => void {
    return metrics.hasRoute(route, to) ? metrics.route(route, to).sent : uncounted
  }

  return (letters) => (letters.length === 1 ? send(letters[0]!) : Promise.all(letters.map(send)).then(() => undefined))
}

/** What a replica with an older configuration left may be for a link that there is no more. */
function noSuchLink(to: string): GatewayError {
  return new GatewayError('link.refused', `there is no link "${to}" any more`)
}

/** Says what follows from a change once nothing of it can be lost any more. */
export function sayOnceKept({ written, said }: Kept, letters: readonly Letters[], post: Post): Promise<void> {
  return written === undefined ? post(letters) : written.then(() => post(letters).then(said, refused(said)))
}

/** What its receiver refused for good nobody need say again. */
function refused(said: () => void): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof GatewayError) || error.fate === 'reject') said()
    throw error
  }
}

async function sendEach(sent: () => void, transport: Transport, frames: readonly OutgoingFrame[]): Promise<void> {
  const outcomes = await Promise.allSettled(frames.map((frame) => transport.send(frame)))
  for (const { status } of outcomes) if (status === 'fulfilled') sent()
  const refusal = outcomes.find((outcome) => outcome.status === 'rejected')
  if (refusal !== undefined) throw refusal.reason
}
