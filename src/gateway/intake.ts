import type { Fact, Meta } from '../model/index.js'
import type { Log } from '../telemetry/index.js'
import type { Delivery, Settlement } from '../transports/transport.js'
import { type DeadLetters, readdressed } from './dead-letters.js'
import { isLoop, pathOf } from './headers.js'
import type { Arrival, Hub, HubLink, Taken } from './hub.js'
import type { Job, Jobs } from './jobs.js'
import { assignMeta } from './meta.js'
import type { PassOver } from './observed.js'
import { messageReader, type ReadMessage } from './reading.js'
import { asGatewayError } from './route.js'
import type { Rules } from './rules/index.js'
import type { Kept, Letters, StateStore } from './state.js'

/** What takes the messages of one link. */
export interface Intake {
  take(delivery: Delivery): void
}

/** What the intake of one link is made of. */
export interface IntakeParts {
  readonly link: HubLink
  readonly group: string
  readonly hub: Hub
  readonly rules: Pick<Rules, 'current' | 'others' | 'ofCall'>
  readonly store: StateStore
  readonly jobs: Jobs
  readonly deadLetters: DeadLetters
  readonly log: Log
  /** Node uuids that we announce: what they say is our own word coming back. */
  readonly ownNodes: ReadonlySet<string>
  /** Node whose ids are made unlike those of all others; absent where they are so already. */
  readonly qualify: string | undefined
  /** Messages this link carries that are none of a translator's business. */
  readonly passOver: PassOver
  /** Told of every message that was taken in, and of what follows from it, after it was told on. */
  readonly onTaken: (arrival: Arrival, inferred: readonly Fact[]) => void
  readonly now: () => number
}

/** Makes the intake of one link. */
export function makeIntake(parts: IntakeParts): Intake {
  const { link, group, hub, rules, store, jobs, deadLetters, metrics } = { ...parts, metrics: parts.link.metrics }
  const readMessage = messageReader({ link: link.name, rules, store, qualify: parts.qualify })

  function take(given: Delivery): void {
    const delivery = readdressed(given)
    metrics.taken()
    const path = pathOf(delivery.frame.headers)
    // Of our own words that come back nothing need be known, also when they come again.
    if (isLoop(path, group)) {
      metrics.loop()
      delivery.settle('done')
    } else jobs.begin(delivery, (job) => proceed(job, path))
  }

  function proceed(job: Job, path: readonly string[]): void {
    metrics.inFlight(jobs.count())
    let arrival: Arrival | undefined
    try {
      arrival = read(job, path)
    } catch (error) {
      bury(job, error)
      return
    }
    if (arrival === undefined) passOver(job)
    else work(job, arrival)
  }

  function passOver(job: Job): void {
    keep(job, [])
    finish(job)
  }

  function keep({ taken }: Job, letters: readonly Letters[]): Kept {
    return store.keep({ link: link.name, letters, taken })
  }

  function finish(job: Job, outcome: Settlement = 'done'): void {
    job.settle(outcome)
    if (outcome === 'retry' && !jobs.comeAgain) metrics.dropped('stopping')
    metrics.inFlight(jobs.count())
  }

  function bury(job: Job, error: unknown): void {
    const failure = asGatewayError(error)
    deadLetters
      .put(job.delivery, job.id, failure, (letters) => keep(job, letters))
      .then((outcome) => finish(job, outcome))
  }

  /** Undefined for what is passed over on purpose. */
  function read(job: Job, path: readonly string[]): Arrival | undefined {
    const { frame } = job.delivery
    let message: ReadMessage
    try {
      message = readMessage(frame)
    } catch (error) {
      const kind = parts.passOver(frame.body)
      if (kind === undefined) throw error
      metrics.ignored(kind)
      return undefined
    }
    const { facts } = message
    if (facts.some(isOwn)) {
      metrics.ignored('own')
      return undefined
    }
    const meta = metaOf(job, path)
    assignMeta(facts, meta)
    for (const [fact, revision] of message.revisionOf) fact.meta = { ...fact.meta, revision }
    if (message.isUnknown) metrics.unknownWord()
    // A channel event that announces nothing came with a state that no case knows.
    for (const fact of facts) if (fact.kind === 'channel' && fact.change === undefined) metrics.unknownWord()
    const { full, blind } = message
    return { link: link.name, facts, path, full, blind, meta, taken: job.taken }
  }

  function isOwn(fact: Fact): boolean {
    return 'node' in fact && typeof fact.node === 'string' && parts.ownNodes.has(fact.node)
  }

  function metaOf({ id, delivery }: Job, path: readonly string[]): Meta {
    const told = delivery.sentAt
    return {
      id,
      sourced: delivery.messageId !== undefined,
      origin: { group, link: link.name },
      at: told ?? delivery.receivedAt,
      clock: told === undefined ? 'receipt' : 'source',
      revision: rules.current().revision,
      path: [...path],
    }
  }

  function work(job: Job, arrival: Arrival): void {
    let taken: Taken
    try {
      taken = hub.take(arrival)
    } catch (error) {
      bury(job, error)
      return
    }
    settleWhen(job, taken.confirmed)
    parts.onTaken(arrival, taken.inferred)
  }

  function settleWhen(job: Job, confirmed: Promise<void>): void {
    confirmed.then(
      () => finish(job),
      (error: unknown) => {
        const failure = asGatewayError(error)
        if (failure.fate === 'reject') return bury(job, failure)
        finish(job, 'retry')
      },
    )
  }

  return { take }
}
