import { setTimeout as delay } from 'node:timers/promises'
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'

/** One message of the legacy system. */
export interface LegacyMessage {
  readonly exchange: string
  readonly key: string
  readonly body: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** A publisher that goes on until the broker has confirmed what it was given, over as many connections as it takes. */
export interface LegacyPublisher {
  /** Publishes, with a message id where one is given, and again until it is confirmed. */
  publish(message: LegacyMessage, messageId?: string): Promise<void>
  /** Messages published more than once so far, because it was not known whether the broker had them. */
  doubtful(): number
  close(): Promise<void>
}

interface Opened {
  readonly model: ChannelModel
  readonly channel: ConfirmChannel
}

/** A confirm channel that is opened again when its connection is lost, at the next address. */
function keptChannel(urls: readonly string[]) {
  let opening: Promise<Opened> | undefined
  let turn = 0

  function forget(opened: Promise<Opened>): void {
    if (opening === opened) opening = undefined
  }
  async function open(): Promise<Opened> {
    for (;;) {
      try {
        const model = await connect(urls[turn++ % urls.length] ?? '', { timeout: 2000 })
        model.on('error', () => undefined)
        const channel = await model.createConfirmChannel()
        channel.on('error', () => undefined)
        return { model, channel }
      } catch {
        await delay(100)
      }
    }
  }
  function get(): Promise<Opened> {
    if (opening !== undefined) return opening
    const opened = open()
    opening = opened
    opened.then(({ model }) => model.on('close', () => forget(opened)))
    return opened
  }
  return {
    get,
    /** A connection that failed somebody is of no use to anybody else. */
    async lost(opened: Promise<Opened>): Promise<void> {
      forget(opened)
      await (await opened).model.close().catch(() => undefined)
    },
    close: async () => {
      await (await opening)?.model.close().catch(() => undefined)
    },
  }
}

function confirmed(channel: ConfirmChannel, message: LegacyMessage, messageId: string | undefined): Promise<boolean> {
  const { headers } = message
  const given = { persistent: true, ...(messageId !== undefined && { messageId }), ...(headers && { headers }) }
  return new Promise((resolve) => {
    const settle = (error: unknown) => resolve(error === null)
    try {
      channel.publish(message.exchange, message.key, Buffer.from(message.body), given, settle)
    } catch {
      resolve(false)
    }
  })
}

/** A publisher to the first of these addresses that answers. */
export function legacyPublisher(urls: readonly string[]): LegacyPublisher {
  const kept = keptChannel(urls)
  let doubtful = 0
  return {
    async publish(message, messageId) {
      for (;;) {
        const opened = kept.get()
        const { channel } = await opened
        if (await confirmed(channel, message, messageId)) return
        doubtful += 1
        await kept.lost(opened)
        await delay(50)
      }
    },
    doubtful: () => doubtful,
    close: kept.close,
  }
}
