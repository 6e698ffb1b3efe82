import type { Fact, Meta } from '../model/index.js'
import type { IgnoredKind, Log, Span, StageMetrics, Tracing } from '../telemetry/index.js'
import type { Delivery, Settlement } from '../transports/transport.js'
import { aboutOf } from './about.js'
import { type Correlation, type DeadLetters, readdressed } from './dead-letters.js'
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
  readonly stages: StageMetrics
  readonly log: Log
  readonly tracing: Pick<Tracing, 'receive'>
  /** Node uuids that we announce: what they say is our own word coming back. */
  readonly ownNodes: ReadonlySet<string>
  /** Node whose ids are made unlike those of all others; absent where they are so already. */
  readonly qualify: string | undefined
  /** Messages this link carries that are none of a translator's business. */
  readonly passOver: PassOver
  /** It brings a share of the calls: full pictures are of more than that, and not taken. */
  readonly isShare: boolean
  /** Told of every message that was taken in, and of what follows from it, after it was told on. */
  readonly onTaken: (arrival: Arrival, inferred: readonly Fact[]) => void
  readonly now: () => number
}

/** Makes the intake of one link. */
export function makeIntake(parts: IntakeParts): Intake {
  const { link, group, hub, rules, store, jobs, deadLetters, stages, log, tracing, qualify } = parts
  const { metrics } = link
  const readMessage = messageReader({ link: link.name, rules, store, qualify, unmapped: metrics.unmapped })

  function take(given: Delivery): void {
    const takenAt = performance.now()
    const delivery = readdressed(given)
    metrics.taken()
    const path = pathOf(delivery.frame.headers)
    // Of our own words that come back nothing need be known, also when they come again.
    if (isLoop(path, group)) {
      metrics.loop()
      delivery.settle('done')
    } else jobs.begin(delivery, (job) => proceed(job, path, takenAt))
  }

  function proceed(job: Job, path: readonly string[], takenAt: number): void {
    metrics.inFlight(jobs.count())
    const span = tracing.receive(link.name, job.delivery, job.id)
    if (job.refused !== undefined) {
      bury(job, job.refused, span)
      return
    }
    let arrival: Arrival | undefined
    try {
      arrival = span.stage('read', undefined, () => read(job, path, span, takenAt))
    } catch (error) {
      bury(job, error, span)
      return
    }
    if (arrival === undefined) passOver(job, span)
    else work(job, arrival, span)
  }

  function passOver(job: Job, span: Span): void {
    keep(job, [])
    span.set({ outcome: 'ignored' })
    finish(job, span)
  }

  function keep({ taken }: Job, letters: readonly Letters[]): Kept {
    return store.keep({ link: link.name, letters, taken })
  }

  function finish(job: Job, span: Span, outcome: Settlement = 'done'): void {
    job.settle(outcome)
    if (outcome !== 'done') span.set({ outcome })
    span.end()
    if (outcome === 'retry' && !jobs.comeAgain) metrics.dropped('stopping')
    metrics.inFlight(jobs.count())
  }

  function bury(job: Job, error: unknown, span: Span, arrival?: Arrival): void {
    const failure = asGatewayError(error)
    span.fail(failure)
    const { headers, fields } = span
    const along: Correlation = { headers, fields: { ...(arrival && aboutOf(arrival.facts)), ...fields } }
    deadLetters
      .put(job.delivery, job.id, failure, (letters) => keep(job, letters), along)
      .then((outcome) => finish(job, span, outcome))
  }

  /** Debug has a line for each message, and whoever follows it is told what it is about. */
  function note(job: Job, facts: readonly Fact[], rule: string, span: Span): void {
    if (!span.isOn && !log.isDebug) return
    const about = aboutOf(facts)
    const named = `${rules.current().dialectOf(link.name).name}/${rule}`
    span.set({ rule: named, ...about })
    log.debug('message taken', { link: link.name, id: job.id, rule: named, ...about, ...span.fields })
  }

  function ignore(job: Job, kind: IgnoredKind, span: Span): undefined {
    metrics.ignored(kind)
    if (log.isDebug) log.debug('message passed over', { link: link.name, id: job.id, kind, ...span.fields })
  }

  /** Undefined for what is passed over on purpose. */
  function read(job: Job, path: readonly string[], span: Span, takenAt: number): Arrival | undefined {
    const { frame } = job.delivery
    let message: ReadMessage
    try {
      message = readMessage(frame)
    } catch (error) {
      const kind = parts.passOver(frame.body)
      if (kind === undefined) throw error
      return ignore(job, kind, span)
    }
    const { facts } = message
    if (facts.some(isOwn)) return ignore(job, 'own', span)
    if (parts.isShare && message.full !== undefined) return ignore(job, 'picture', span)
    note(job, facts, message.rule, span)
    const meta = metaOf(job, path)
    assignMeta(facts, meta)
    for (const [fact, revision] of message.revisionOf) fact.meta = { ...fact.meta, revision }
    if (message.isUnknown) metrics.unknownWord()
    // A channel event that announces nothing came with a state that no case knows.
    for (const fact of facts) if (fact.kind === 'channel' && fact.change === undefined) metrics.unknownWord()
    const { full, blind } = message
    const readAt = performance.now()
    stages.read(readAt - takenAt)
    const timing = { takenAt, readAt }
    const { isShare } = parts
    return { link: link.name, facts, path, full, blind, meta, timing, taken: job.taken, span, isShare }
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

  function work(job: Job, arrival: Arrival, span: Span): void {
    let taken: Taken
    try {
      taken = hub.take(arrival)
    } catch (error) {
      bury(job, error, span, arrival)
      return
    }
    settleWhen(job, taken.confirmed, span, arrival)
    parts.onTaken(arrival, taken.inferred)
  }

  function settleWhen(job: Job, confirmed: Promise<void>, span: Span, arrival: Arrival): void {
    confirmed.then(
      () => finish(job, span),
      (error: unknown) => {
        const failure = asGatewayError(error)
        if (failure.fate === 'reject') return bury(job, failure, span, arrival)
        span.fail(failure)
        finish(job, span, 'retry')
      },
    )
  }

  return { take }
}
