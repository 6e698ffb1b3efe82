import { Duplex } from 'node:stream'
import type { Channel, ChannelModel } from 'amqplib'
import { GatewayError } from '../../errors.js'
import type { LinkEvent } from '../transport.js'
import { isNotFound, reasonOf } from './errors.js'

/** What is asked of a broker to see that it answers, and that what we need there is still there. */
export interface LifeUse {
  /** Asks on a channel of its own, once a second; a `404` says that something is gone. It must be cheap. */
  probe(channel: Channel): Promise<unknown>
  /** Makes anew what is gone, where we may. */
  mend(model: ChannelModel): Promise<void>
  report(event: LinkEvent): void
}

/** Follows one connection until it is told to stop. */
export interface Life {
  /** Idempotent. */
  stop(): void
}

const LOOK_MS = 1000
/** From a question to the verdict, where not a byte came meanwhile: with the looks it makes four seconds at most. */
const SILENCE_MS = 2500

/** The stream under a connection; it is not part of the library's types. */
export function streamOf(model: ChannelModel): Duplex | undefined {
  const connection: object = model.connection
  const stream: unknown = 'stream' in connection ? connection.stream : undefined
  return stream instanceof Duplex ? stream : undefined
}

function bytesRead(model: ChannelModel): number {
  const stream = streamOf(model)
  return stream !== undefined && 'bytesRead' in stream ? Number(stream.bytesRead) : 0
}

/**
 * Asks the broker once a second, and reports `trouble` when it says nothing at all for longer than it may: heartbeats
 * notice that, too, and end the connection, but only after two or three of them. Whatever comes is a sign of life, so a
 * broker that is merely busy is left in peace; and one that reads nothing of a connection on purpose (`blocked`)
 * is not asked.
 * @param purpose of the connection
 */
export function followLife(model: ChannelModel, purpose: string, { probe, mend, report }: LifeUse): Life {
  const silent = `${purpose} connection`
  const gone = `${purpose} topology`
  const troubles = new Set<string>()
  let channel: Channel | undefined
  let isAsking = false
  let isBlocked = false
  let isStopped = false
  let read = bytesRead(model)
  /** When the first question left that nothing was heard after. */
  let askedAt: number | undefined

  function trouble(of: string, error: GatewayError): void {
    if (isStopped || troubles.has(of)) return
    troubles.add(of)
    report({ kind: 'trouble', of, error })
  }

  function mended(of: string): void {
    if (troubles.delete(of)) report({ kind: 'mended', of })
  }

  function heard(): void {
    askedAt = undefined
    mended(silent)
  }

  function hasNews(): boolean {
    const now = bytesRead(model)
    const isNews = now !== read
    read = now
    return isNews
  }

  async function openChannel(): Promise<Channel> {
    const fresh = await model.createChannel()
    fresh.on('error', () => undefined) // the pending question rejects with the same reason
    return fresh
  }

  async function ask(): Promise<void> {
    try {
      channel ??= await openChannel()
      await probe(channel)
      mended(gone)
    } catch (error) {
      channel = undefined
      if (!isNotFound(error)) return // the connection ends, or a channel did: the next look asks again
      trouble(gone, new GatewayError('link.refused', reasonOf(error), { fate: 'retry', cause: error }))
      await mend(model).catch((cause: unknown) => {
        if (!isStopped && cause instanceof GatewayError) report({ kind: 'fault', error: cause })
      })
    }
  }

  function askOnce(): void {
    if (isAsking) return
    isAsking = true
    void ask().finally(() => {
      isAsking = false
    })
  }

  /** What came while this process was busy is read before. */
  function judge(): void {
    if (isStopped || askedAt === undefined) return
    if (hasNews()) {
      heard()
      return
    }
    const ms = Math.round(performance.now() - askedAt)
    const text = `the broker has said nothing for ${ms} ms (${silent})`
    trouble(silent, new GatewayError('link.lost', text, { fate: 'retry' }))
  }

  function look(): void {
    if (hasNews()) heard()
    if (isBlocked) askedAt = undefined
    else if (askedAt !== undefined && performance.now() - askedAt >= SILENCE_MS) setImmediate(judge)
    if (isBlocked) return
    askedAt ??= performance.now()
    askOnce()
  }

  model.on('blocked', () => {
    isBlocked = true
  })
  model.on('unblocked', () => {
    isBlocked = false
  })
  const timer = setInterval(look, LOOK_MS).unref()
  return {
    stop() {
      clearInterval(timer)
      isStopped = true
      for (const of of [...troubles]) mended(of)
    },
  }
}
