import { type Span, type Tracing, withTrace } from '../telemetry/index.js'
import type { OutgoingFrame, Transport } from '../transports/transport.js'

/** Frames on their way to a link, and the route that they are for. */
interface Sending {
  readonly to: string
  readonly route?: string | undefined
  readonly frames: readonly OutgoingFrame[]
}

/**
 * Has frames sent in a span of their own, which follows from what their headers say and ends when they are confirmed; they
 * carry its context on.
 */
export async function sendTraced<T>(
  tracing: Tracing,
  { to, route, frames }: Sending,
  send: (frames: readonly OutgoingFrame[], span: Span) => Promise<T>,
): Promise<T> {
  const span = tracing.send(to, frames, route)
  try {
    const traced = frames.map((frame) => ({ ...frame, headers: withTrace(frame.headers, span.headers) }))
    return await send(traced, span)
  } catch (error) {
    span.fail(error)
    throw error
  } finally {
    span.end()
  }
}

/** A link whose frames are sent so, one by one. */
export function tracedLink(to: string, transport: Transport, tracing: Tracing): Pick<Transport, 'send'> {
  if (!tracing.isOn) return transport
  return { send: (frame) => sendTraced(tracing, { to, frames: [frame] }, ([each]) => transport.send(each!)) }
}
