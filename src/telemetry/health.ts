import type { LinkEvent } from '../transports/transport.js'

/** What is known of a link's connection. */
export interface LinkHealth {
  readonly ready: boolean
  readonly state: 'starting' | 'connected' | 'consuming' | 'standby' | 'down' | 'reconnecting'
  /** Since when, UTC, ISO 8601. */
  readonly since: string
  /** Why it is not ready, where that is known. */
  readonly reason?: string
}

/** Whether the gateway can do its work: all links ready, and it is not stopping. */
export interface Readiness {
  readonly ready: boolean
  readonly stopping: boolean
  readonly links: Readonly<Record<string, LinkHealth>>
}

/** Follows what links report about themselves. */
export interface Health {
  report(link: string, event: LinkEvent): void
  /** Messages are to be taken from a link that stood by. */
  begin(link: string): void
  /** From now on nothing is ready. */
  stop(): void
  read(): Readiness
}

/** A link; one that messages are taken from is ready only once it consumes. */
export interface HealthLink {
  readonly name: string
  readonly isSource: boolean
}

/** @param now UTC milliseconds. */
export function createHealth(links: readonly HealthLink[], now: () => number = Date.now): Health {
  const states = new Map<string, LinkHealth>()
  let stopping = false
  const enter = (name: string, state: LinkHealth['state'], ready: boolean, reason?: string) => {
    const since = new Date(now()).toISOString()
    states.set(name, { ready, state, since, ...(reason !== undefined && { reason }) })
  }
  for (const { name, isSource } of links) enter(name, 'starting', false, isSource ? 'not connected yet' : undefined)
  const sources = new Set(links.filter((link) => link.isSource).map((link) => link.name))

  // A transport may begin to consume before all its connections stand, and then says so first.
  const consuming = new Set<string>()
  const standingBy = new Set<string>()

  function connected(name: string): void {
    if (standingBy.has(name)) enter(name, 'standby', true)
    else if (consuming.has(name)) enter(name, 'consuming', true)
    else enter(name, 'connected', !sources.has(name), sources.has(name) ? 'does not consume yet' : undefined)
  }

  function report(name: string, event: LinkEvent): void {
    const state = states.get(name)?.state
    const reason = states.get(name)?.reason
    if (event.kind === 'consuming') {
      consuming.add(name)
      standingBy.delete(name)
      if (state === 'connected' || state === 'standby') enter(name, 'consuming', true)
    } else if (event.kind === 'interrupted') {
      consuming.delete(name)
      if (state === 'consuming') enter(name, 'connected', false, 'does not consume')
    } else if (event.kind === 'standby') {
      // A link may have nothing that has to be connected before another replica leaves it to this one.
      consuming.delete(name)
      standingBy.add(name)
      connected(name)
    } else if (event.kind === 'up') connected(name)
    else if (event.kind === 'down') enter(name, 'down', false, event.error?.message ?? reason)
    else if (event.kind === 'reconnecting' && state !== 'reconnecting') enter(name, 'reconnecting', false, reason)
  }

  return {
    report,
    begin(name) {
      if (standingBy.delete(name)) connected(name)
    },
    stop: () => {
      stopping = true
    },
    read: () => ({
      ready: !stopping && [...states.values()].every((state) => state.ready),
      stopping,
      links: Object.fromEntries(states),
    }),
  }
}
