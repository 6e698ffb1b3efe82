import type { RabbitMqControl } from '../../harness/index.js'

/** What went in and what came out while something was at fault. */
export interface Outcome {
  /** From the first message to the last, the backlog included. */
  readonly lengthMs: number
  /** Events that the source's broker had confirmed to their publisher. */
  readonly sent: number
  /** Different events that arrived. */
  readonly received: number
  /** Messages that arrived although one with their `patchbay-id` had. */
  readonly duplicates: number
  readonly lost: number
  /** Messages that came after a later one of their channel, duplicates left aside. */
  readonly outOfOrder: number
  /** Longest time between two messages that arrived one after the other. */
  readonly longestGapMs: number
  /** Whether everything came true that is promised. */
  readonly held: boolean
  /** What did not. */
  readonly why?: readonly string[]
  /** What is worth knowing beside the figures. */
  readonly notes?: readonly string[]
}

/** A broker of which each takes a vhost of its own by `freshVhost`. */
export interface SharedRabbitMq {
  readonly url: string
  readonly control: RabbitMqControl
}

/** What a scenario is handed by whoever runs it. */
export interface Report {
  /** Run the short form: faults of seconds, not tens of seconds. */
  readonly isShort: boolean
  /** Tells what happens, as it does. */
  say(line: string): void
  /** The broker of all scenarios that leave theirs alone. */
  sharedRabbitMq(): Promise<SharedRabbitMq>
}

/** Something that goes wrong under load, and the count of what became of the load. */
export interface Scenario {
  /** In kebab-case, for `--only`. */
  readonly name: string
  /** Whether there is a short form of it, of some seconds. */
  readonly isShort: boolean
  /** @throws Error when it could not be run to its end, which counts as broken. */
  run(report: Report): Promise<Outcome>
}
