import type { Health, LinkStatus } from './health.js'
import type { Metrics } from './metrics.js'

/** Where messages are taken from and sent to. */
interface Route {
  readonly name: string
  readonly from: string
  readonly to: string
}

/** What a status is read from. */
export interface StatusParts {
  readonly group: string
  readonly version: string
  readonly health: Pick<Health, 'read' | 'links'>
  readonly metrics: Pick<Metrics, 'series'>
  routes(): readonly Route[]
  /** Of the rules that hold. */
  revision(): string
}

/** How a gateway is, for people and their scripts. */
export interface Status {
  readonly group: string
  readonly version: string
  /** Of the rules that hold. */
  readonly revision: string
  readonly ready: boolean
  readonly stopping: boolean
  /** Of the process. */
  readonly uptimeSeconds: number
  /** `inFlight`: messages taken from it and not settled yet. */
  readonly links: Readonly<Record<string, LinkStatus & { readonly inFlight: number }>>
  /** `ready`: both its links are. `sent`: messages that the target confirmed, since the start. */
  readonly routes: readonly (Route & { readonly ready: boolean; readonly sent: number })[]
  /** Links that this replica takes from; without a shared state, all that anything is taken from. */
  readonly leases: readonly string[]
}

/** Reads the status: what is counted comes from the metrics, so that both always say the same. */
export async function readStatus({ group, version, health, metrics, routes, revision }: StatusParts): Promise<Status> {
  const [inFlight, sent, held] = await Promise.all([
    metrics.series('gateway_in_flight_messages'),
    metrics.series('gateway_sent_messages_total'),
    metrics.series('gateway_lease_held'),
  ])
  const { ready, stopping } = health.read()
  const links = health.links()
  const flying = new Map(inFlight.map(({ labels, value }) => [labels.link, value]))
  const sentOn = ({ name, to }: Route) =>
    sent.find(({ labels }) => labels.route === name && labels.link === to)?.value ?? 0
  const isReady = (link: string) => links[link]?.ready === true
  return {
    group,
    version,
    revision: revision(),
    ready,
    stopping,
    uptimeSeconds: Math.floor(process.uptime()),
    links: Object.fromEntries(
      Object.entries(links).map(([name, link]) => [name, { ...link, inFlight: flying.get(name) ?? 0 }]),
    ),
    routes: routes().map((route) => ({
      ...route,
      ready: isReady(route.from) && isReady(route.to),
      sent: sentOn(route),
    })),
    leases: held.filter(({ value }) => value === 1).map(({ labels }) => String(labels.link)),
  }
}
