import type { GatewayError } from '../errors.js'
import type { LinkEvent } from '../transports/transport.js'
import { scrubText } from './scrub.js'

/** What is known of a link's connection. */
export interface LinkHealth {
  readonly ready: boolean
  /**
   * `connected`: the connection stands, and nothing is taken. `troubled`: it stands, and something that the link is
   * there for does not work.
   */
  readonly state: 'starting' | 'connected' | 'consuming' | 'standby' | 'troubled' | 'down' | 'reconnecting'
  /** Since when, UTC, ISO 8601. */
  readonly since: string
  /** Why it is not ready, where that is known. */
  readonly reason?: string
}

/** A link in more detail. */
export interface LinkStatus extends LinkHealth {
  /** Tries to connect again, since the start. */
  readonly reconnects: number
  /** The last thing that went wrong, whatever became of it. */
  readonly lastError?: { readonly at: string; readonly code: string; readonly message: string }
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
  /** Each link in more detail. */
  links(): Readonly<Record<string, LinkStatus>>
}

/** A link; one that messages are taken from is ready only once it consumes. */
export interface HealthLink {
  readonly name: string
  readonly isSource: boolean
}

/** What a link reported, from which follows how it is. */
interface Link {
  readonly isSource: boolean
  connection: 'starting' | 'stands' | 'down' | 'reconnecting'
  /** A transport may begin to consume before all its connections stand, and then says so first. */
  consumes: boolean
  /** It did consume on the connection that stands. */
  wasInterrupted: boolean
  standsBy: boolean
  /** What does not work, by what it is. */
  readonly troubles: Map<string, string>
  /** Why it is not connected or does not consume. */
  reason: string | undefined
  /** What its peer forbade last on the connection that stands; when, UTC milliseconds. */
  forbidden: { readonly reason: string; readonly at: number } | undefined
  reconnects: number
  lastError: LinkStatus['lastError']
  shown: LinkHealth
}

type Shown = Pick<LinkHealth, 'ready' | 'state' | 'reason'>

const BLOCKED = 'blocked'
/** So long after something was forbidden a link counts as not ready, although it stands. Milliseconds. */
const FORBIDDEN_MS = 60_000

function judge(link: Link): Shown {
  const { connection, reason } = link
  const because = reason === undefined ? {} : { reason }
  if (connection !== 'stands') return { ready: false, state: connection, ...because }
  const [trouble] = link.troubles.values()
  if (trouble !== undefined) return { ready: false, state: 'troubled', reason: trouble }
  if (link.standsBy) return { ready: true, state: 'standby' }
  if (link.consumes) return { ready: true, state: 'consuming' }
  if (!link.isSource && !link.wasInterrupted) return { ready: true, state: 'connected' }
  const silent = link.wasInterrupted ? 'does not consume' : 'does not consume yet'
  return { ready: false, state: 'connected', reason: reason === undefined ? silent : `${silent}: ${reason}` }
}

function up(link: Link): void {
  link.connection = 'stands'
  link.wasInterrupted = false
  link.reason = undefined
}

function apply(link: Link, event: LinkEvent, at: number): void {
  switch (event.kind) {
    case 'up':
      up(link)
      break
    case 'down':
      // Who tries to come back says it again each time, and knows less than who found out why it fails.
      if (link.connection !== 'reconnecting') link.reason = event.error?.message ?? link.reason
      link.connection = 'down'
      link.troubles.delete(BLOCKED) // the others end by the word of who told of them
      link.forbidden = undefined
      break
    case 'reconnecting':
      link.reconnects += 1
      link.connection = 'reconnecting'
      break
    case 'consuming':
      link.consumes = true
      link.standsBy = false
      link.wasInterrupted = false
      if (link.connection === 'stands') link.reason = undefined
      break
    case 'interrupted':
      link.consumes = false
      link.wasInterrupted = true
      break
    case 'standby':
      link.consumes = false
      link.standsBy = true
      // It may have nothing that has to be connected before another replica leaves it to this one.
      if (event.isDown !== true) up(link)
      break
    case 'fault':
      if (!link.shown.ready) link.reason = event.error.message
      if (isForbidden(event.error)) link.forbidden = { reason: event.error.message, at }
      break
    case 'trouble':
      link.troubles.set(event.of, event.error.message)
      break
    case 'mended':
      link.troubles.delete(event.of)
      break
    case 'blocked':
      link.troubles.set(BLOCKED, `the peer takes nothing for now: ${event.reason}`)
      break
    case 'unblocked':
      link.troubles.delete(BLOCKED)
  }
}

const isForbidden = ({ code, fate }: GatewayError) => code === 'link.forbidden' && fate === 'reject'

function errorOf(event: LinkEvent): GatewayError | undefined {
  return event.kind === 'fault' || event.kind === 'down' || event.kind === 'trouble' ? event.error : undefined
}

/** @param now UTC milliseconds. */
export function createHealth(links: readonly HealthLink[], now: () => number = Date.now): Health {
  let stopping = false
  const at = () => new Date(now()).toISOString()
  const states = new Map<string, Link>()
  for (const { name, isSource } of links) {
    const reason = 'not connected yet'
    states.set(name, {
      isSource,
      connection: 'starting',
      consumes: false,
      wasInterrupted: false,
      standsBy: false,
      troubles: new Map(),
      reason,
      forbidden: undefined,
      reconnects: 0,
      lastError: undefined,
      shown: { ready: false, state: 'starting', since: at(), reason },
    })
  }

  /** `since` tells of the state; the reason may become known, or another, while it lasts. */
  function show(link: Link): void {
    const { shown } = link
    const next = judge(link)
    if (next.state === shown.state && next.ready === shown.ready && next.reason === shown.reason) return
    link.shown = { ...next, since: next.state === shown.state && next.ready === shown.ready ? shown.since : at() }
  }

  /** What is forbidden is told each time it is tried; whoever does not try for a while may do it by then. */
  function current({ shown, connection, forbidden }: Link): LinkHealth {
    if (forbidden === undefined || connection !== 'stands' || now() - forbidden.at > FORBIDDEN_MS) return shown
    const since = new Date(forbidden.at).toISOString()
    return { ready: false, state: 'troubled', since, reason: forbidden.reason }
  }

  return {
    report(name, event) {
      const link = states.get(name)
      if (link === undefined) return
      const error = errorOf(event)
      if (error !== undefined) link.lastError = { at: at(), code: error.code, message: scrubText(error.message) }
      apply(link, event, now())
      show(link)
    },
    begin(name) {
      const link = states.get(name)
      if (link === undefined || !link.standsBy) return
      link.standsBy = false
      show(link)
    },
    stop: () => {
      stopping = true
    },
    read: () => ({
      ready: !stopping && [...states.values()].every((link) => current(link).ready),
      stopping,
      links: Object.fromEntries([...states].map(([name, link]) => [name, current(link)])),
    }),
    links: () =>
      Object.fromEntries(
        [...states].map(([name, link]) => [
          name,
          { ...current(link), reconnects: link.reconnects, ...(link.lastError && { lastError: link.lastError }) },
        ]),
      ),
  }
}
