/**
 * The yardstick of the gateway bench: a script with the same client libraries that takes messages
 * from a queue, publishes others of a given size in their place, and acknowledges what the server
 * has confirmed. `node pass-through.js OPTIONS`, a JSON of {@link PassThrough}.
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
  /**
   * `plain`: flush and acknowledge each message, as one writes it. `tuned`: one flush and one
   * acknowledgement for all that came while the last flush was on its way.
   */
  readonly style: 'plain' | 'tuned'
}

const options = JSON.parse(process.argv[2] ?? '') as PassThrough // our own caller wrote it
const nats = await connectNats({ servers: options.natsUrl })
const stream = jetstream(nats)
const channel = await (await connectAmqp(options.amqpUrl)).createChannel()
await channel.prefetch(256)

const body = Buffer.alloc(options.bytes, 'x')
let taken = 0
let published = 0

/** Publishes what stands for one message; resolves, with JetStream, when the stream has it. */
function publish(): readonly Promise<unknown>[] {
  taken++
  const acknowledgements: Promise<unknown>[] = []
  for (const due = Math.floor(taken * options.perMessage); published < due; published++) {
    if (options.deliver === 'core') nats.publish(options.subject, body)
    else acknowledgements.push(stream.publish(options.subject, body))
  }
  return acknowledgements
}

const confirmed = (acknowledgements: readonly Promise<unknown>[]) =>
  options.deliver === 'core' ? nats.flush() : Promise.all(acknowledgements)

async function passPlain(message: ConsumeMessage): Promise<void> {
  await confirmed(publish())
  channel.ack(message)
}

let last: ConsumeMessage | undefined
let pending: Promise<unknown>[] = []
let confirming = false

async function passTuned(message: ConsumeMessage): Promise<void> {
  last = message
  pending.push(...publish())
  if (confirming) return
  confirming = true
  for (let done: ConsumeMessage | undefined; done !== last; ) {
    const upTo: ConsumeMessage = last
    const waitFor = pending
    pending = []
    await confirmed(waitFor)
    channel.ack(upTo, true)
    done = upTo
  }
  confirming = false
}

const pass = options.style === 'plain' ? passPlain : passTuned
await channel.consume(options.queue, (message) => {
  if (message !== null) void pass(message)
})
process.once('SIGTERM', () => process.exit(0))
