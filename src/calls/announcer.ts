import type { Dialect } from '../mapping/dialect.js'
import type { Fact, FactOf, NodeChange } from '../model/index.js'
import type { Log } from '../telemetry/index.js'
import type { Transport } from '../transports/transport.js'

/** Tells controllers of our node: that it came, how it is, that it left. */
export interface Announcer {
  start(): void
  /** Says again that the node is there. */
  announce(): void
  /** Says how the node is, ahead of its time. */
  update(): void
  /** Leaves it to another replica to speak of the node; `start` begins anew. */
  pause(): void
  /** Says that the node leaves; resolves when that is said. Nothing is said of it afterwards. */
  stop(): Promise<void>
}

/** What is announced, and where. */
export interface AnnouncerParts {
  readonly uuid: string
  readonly name: string
  readonly address: string
  readonly version: string
  /** Milliseconds between updates. */
  readonly intervalMs: number
  /** The dialect that it is said in, as it is at each announcement. */
  readonly dialect: () => Dialect
  readonly transport: Transport
  /** Headers of every announcement. */
  readonly headers: Readonly<Record<string, string>>
  /** Calls that are up. */
  sessions(): Promise<number>
  /** What else is told of the node as long as it is there, over what stands here. */
  more?(): Promise<Pick<FactOf<'node'>, 'figures' | 'ext'>>
  readonly log: Log
}

/** Makes the announcer of one node. */
export function makeAnnouncer(parts: AnnouncerParts): Announcer {
  const started = performance.now()
  let timer: NodeJS.Timeout | undefined
  let lastWord = Promise.resolve()
  let hasLeft = false

  async function tell(change: NodeChange): Promise<void> {
    const { uuid: id, name, address, version } = parts
    const uptimeSeconds = Math.floor((performance.now() - started) / 1000)
    // The last word waits for nobody.
    const more = change === 'left' ? undefined : await parts.more?.()
    const figures = { uptimeSeconds, sessions: await parts.sessions(), ...more?.figures }
    const fact: Fact = { kind: 'node', id, name, address, version, change, ...more, figures }
    const { messages } = parts.dialect().encode({ facts: [fact] })
    await Promise.all(
      messages.map(({ address: to, body }) =>
        parts.transport.send({ address: to, headers: parts.headers, body, orderKey: 'node' }),
      ),
    )
  }

  function say(change: NodeChange): void {
    if (hasLeft) return
    hasLeft = change === 'left'
    lastWord = lastWord
      .then(() => tell(change))
      .catch((error: unknown) =>
        parts.log.warn('the node could not be announced', { node: parts.uuid, change, err: error }),
      )
  }

  return {
    start() {
      clearInterval(timer)
      say('came')
      timer = setInterval(() => say('changed'), parts.intervalMs)
      timer.unref()
    },
    announce: () => say('came'),
    update: () => say('changed'),
    pause() {
      clearInterval(timer)
      timer = undefined
    },
    async stop() {
      clearInterval(timer)
      if (timer !== undefined) say('left')
      timer = undefined
      hasLeft = true
      await lastWord
    },
  }
}
