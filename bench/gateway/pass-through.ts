/**
 * The yardstick of the gateway bench: the shortest honest script with the same client libraries.
 * Takes messages from a queue, publishes others of a given size in their place, and acknowledges
 * what the server has confirmed. `node pass-through.js OPTIONS`, a JSON of {@link PassThrough}.
 */
import { jetstream } from '@nats-io/jetstream'
import { connect as connectNats } from '@nats-io/transport-node'
import { type ConsumeMessage, connect as connectAmqp } from 'amqplib'

/** What the script is told. */
export interface PassThrough {
  readonly amqpUrl: string
  readonly queue: string
  readonly natsUrl: string
  readonly subject: string
  readonly deliver: 'core' | 'jetstream'
  /** Messages published for each one taken; need not be whole. */
  readonly perMessage: number
  /** Bytes of each. */
  readonly bytes: number
}

const options = JSON.parse(process.argv[2] ?? '') as PassThrough // our own caller wrote it
const nats = await connectNats({ servers: options.natsUrl })
const stream = jetstream(nats)
const channel = await (await connectAmqp(options.amqpUrl)).createChannel()
await channel.prefetch(256)

const body = Buffer.alloc(options.bytes, 'x')
let taken = 0
let published = 0
let last: ConsumeMessage | undefined
let pending: Promise<unknown>[] = []
let confirming = false

function publish(): void {
  taken++
  for (const due = Math.floor(taken * options.perMessage); published < due; published++) {
    if (options.deliver === 'core') nats.publish(options.subject, body)
    else pending.push(stream.publish(options.subject, body))
  }
}

async function confirm(): Promise<void> {
  confirming = true
  for (let confirmed: ConsumeMessage | undefined; last !== undefined && confirmed !== last; ) {
    const upTo = last
    const waitFor = pending
    pending = []
    await (options.deliver === 'core' ? nats.flush() : Promise.all(waitFor))
    channel.ack(upTo, true)
    confirmed = upTo
  }
  confirming = false
}

await channel.consume(options.queue, (message) => {
  if (message === null) return
  publish()
  last = message
  if (!confirming) void confirm()
})
process.once('SIGTERM', () => process.exit(0))
