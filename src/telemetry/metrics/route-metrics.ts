import type { FactKind } from '../../model/index.js'
import type { Instruments } from './instruments.js'

/** What is counted of one route. */
export interface RouteMetrics {
  translated(): void
  sent(): void
  unsaid(kind: FactKind): void
  suppressed(): void
  /** The target has confirmed all that was made of a message so long after its receipt. */
  delivered(milliseconds: number): void
}

/** Makes what is counted of a route, by its name and that of its target. */
export function routeFactory(make: Instruments): (route: string, to: string) => RouteMetrics {
  const translated = make.counter('gateway_translated_messages_total')
  const sent = make.counter('gateway_sent_messages_total')
  const unsaid = make.counter('gateway_unsaid_facts_total')
  const suppressed = make.counter('gateway_suppressed_facts_total')
  const delivered = make.histogram('gateway_delivery_seconds')
  return (route, to) => {
    const unsaidKinds = new Map<FactKind, () => void>()
    return {
      translated: translated.bind(route),
      sent: sent.bind(to, route),
      unsaid(kind) {
        const known = unsaidKinds.get(kind) ?? unsaid.bind(route, kind)
        unsaidKinds.set(kind, known)
        known()
      },
      suppressed: suppressed.bind(route),
      delivered: delivered.bind(route),
    }
  }
}
