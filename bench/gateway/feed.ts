import { readFileSync } from 'node:fs'
import { connect } from 'amqplib'

const DOCUMENT = 'test/fixtures/voice-events/seed-channel-call-state.yaml'
const DOCUMENT_UUID = '65da6180-877b-4378-a0bc-161f969fe643'
const EXCHANGE = 'voice_events'
const KEY = 'channel.call_state'

/** The broker's side of a queue under test. */
export interface Feed {
  /**
   * Puts so many call-state messages of 1.2 KB in the queue, each about a call of its own: what is
   * said twice of a call is not passed on. Resolves when the broker has all of them.
   */
  fill(count: number): Promise<void>
  /** Messages that wait in the queue; those at a consumer are not among them. */
  waiting(): Promise<number>
  close(): Promise<void>
}

function bodyMaker(): (i: number) => Buffer {
  const pieces = readFileSync(DOCUMENT, 'utf8').split(DOCUMENT_UUID)
  return (i) => Buffer.from(pieces.join(DOCUMENT_UUID.slice(0, -8) + i.toString(16).padStart(8, '0')))
}

/** Opens a connection to the broker. The queue has to be there. */
export async function openFeed(amqpUrl: string, queue: string): Promise<Feed> {
  const connection = await connect(amqpUrl)
  const channel = await connection.createConfirmChannel()
  const bodyOf = bodyMaker()
  return {
    async fill(count) {
      for (let i = 0; i < count; i++) {
        const hasRoom = channel.publish(EXCHANGE, KEY, bodyOf(i), { persistent: true, mandatory: true })
        if (!hasRoom) await new Promise((resolve) => channel.once('drain', resolve))
      }
      await channel.waitForConfirms()
    },
    waiting: async () => (await channel.checkQueue(queue)).messageCount,
    close: () => connection.close(),
  }
}
