import { expect } from 'vitest'
import type { Delivery, LinkEvent, LinkHandlers } from '../../src/transports/transport.js'

/** A receiver that keeps everything a transport tells it, and settles deliveries unless told otherwise. */
export interface Recorder extends LinkHandlers {
  readonly deliveries: Delivery[]
  readonly events: LinkEvent[]
  /** What becomes of a delivery; default: settled as done at once. */
  onDelivery: (delivery: Delivery) => void
  /** Events of one kind so far. */
  of<K extends LinkEvent['kind']>(kind: K): Extract<LinkEvent, { kind: K }>[]
  /** Waits until so many events of a kind have come. */
  until(kind: LinkEvent['kind'], count: number, timeoutMs?: number): Promise<void>
  /** Waits until so many deliveries have come. */
  received(count: number, timeoutMs?: number): Promise<void>
}

export function recorder(): Recorder {
  const deliveries: Delivery[] = []
  const events: LinkEvent[] = []
  const self: Recorder = {
    deliveries,
    events,
    onDelivery: (delivery) => delivery.settle('done'),
    deliver(delivery) {
      deliveries.push(delivery)
      self.onDelivery(delivery)
    },
    report: (event) => void events.push(event),
    of: <K extends LinkEvent['kind']>(kind: K) =>
      events.filter((event): event is Extract<LinkEvent, { kind: K }> => event.kind === kind),
    until: (kind, count, timeoutMs = 20_000) =>
      expect.poll(() => self.of(kind).length, { timeout: timeoutMs, interval: 20 }).toBeGreaterThanOrEqual(count),
    received: (count, timeoutMs = 20_000) =>
      expect.poll(() => deliveries.length, { timeout: timeoutMs, interval: 20 }).toBeGreaterThanOrEqual(count),
  }
  return self
}

/** Bodies as text, in order of arrival. */
export const texts = (deliveries: readonly Delivery[]) =>
  deliveries.map(({ frame }) => Buffer.from(frame.body).toString('utf8'))

/** Deliveries without those whose message id came before. */
export function withoutDuplicates(deliveries: readonly Delivery[]): Delivery[] {
  const seen = new Set<string>()
  return deliveries.filter(({ messageId = '' }) => {
    const fresh = !seen.has(messageId)
    seen.add(messageId)
    return fresh
  })
}
