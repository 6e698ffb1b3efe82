import { type ChannelModel, type ConfirmChannel, IllegalOperationError } from 'amqplib'
import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import { makeOutbox, type Parcel } from '../outbox.js'
import { watchProgress } from '../progress.js'
import type { LinkEvent, OutgoingFrame } from '../transport.js'
import type { AmqpConfig } from './config.js'
import { isNack, isNotFound, publishRefusal, reasonOf } from './errors.js'
import { publishOptions, toBuffer, toFrame } from './frames.js'

/** Publishes frames with confirms while a connection stands, and what was not confirmed again on the next one. */
export interface Publisher {
  begin(model: ChannelModel): Promise<void>
  lost(): void
  send(frame: OutgoingFrame): Promise<void>
  /** Frames that are neither confirmed nor refused. */
  unconfirmed(): number
  /** Exchanges that the broker said it does not have. */
  missing(): readonly string[]
  /** It has this one now. */
  found(exchange: string): void
  /** Resolves once everything is confirmed. */
  idle(): Promise<void>
  /** Refuses what is left with fate `retry`. */
  close(): void
}

/**
 * A broker that refuses one publication closes the channel and does not say which one it was. So everything
 * unconfirmed goes out again one by one: the frame that is alone in flight when the channel closes is it.
 */
export function makePublisher(config: AmqpConfig, report: (event: LinkEvent) => void): Publisher {
  const settings = config.publish ?? {}
  const window = settings.window ?? 1000
  const outbox = makeOutbox(window, pump)
  const progress = watchProgress(outbox.stuckMs, 'publishing', report)
  const missing = new Set<string>()
  let channel: ConfirmChannel | undefined
  /** Frames that still have to pass one by one. */
  let suspects = 0

  function cleared(): void {
    if (suspects > 0 && --suspects === 0) outbox.narrow(window)
  }

  function settle(parcel: Parcel, error: Error | null): void {
    if (error === null) {
      outbox.confirm(parcel)
      cleared()
    } else if (isNack(error)) {
      if (parcel.tries === 0) reportNack(parcel)
      outbox.again(parcel, backoffMs(parcel.tries + 1, config.reconnect))
    } else return // the channel's end; whoever hears of that puts everything back
    pump()
  }

  function reportNack({ frame }: Parcel): void {
    const text = `the broker did not take a message for exchange "${frame.address.exchange}"; trying again`
    report({ kind: 'fault', error: new GatewayError('link.refused', text, { fate: 'retry' }) })
  }

  function refuse(parcel: Parcel, error: GatewayError): void {
    outbox.refuse(parcel, error)
    cleared()
  }

  /** @returns false when the channel takes nothing any more. */
  function publish(on: ConfirmChannel, parcel: Parcel): boolean {
    const { frame } = parcel
    const { exchange = '', key = '' } = frame.address
    try {
      on.publish(exchange, key, toBuffer(frame.body), publishOptions(frame, settings), (error: Error | null) => {
        if (on === channel) settle(parcel, error)
      })
      return true
    } catch (error) {
      if (error instanceof IllegalOperationError) return false
      const code = error instanceof RangeError ? 'link.too-large' : 'link.refused'
      const text = `cannot publish to exchange "${exchange}" by "${key}": ${reasonOf(error)}`
      refuse(parcel, new GatewayError(code, text, { cause: error }))
      return true
    }
  }

  function pump(): void {
    while (channel !== undefined) {
      const parcel = outbox.next()
      if (parcel === undefined || !publish(channel, parcel)) return
    }
  }

  /** @returns whether the frame that made the broker close the channel is known and dealt with. */
  function blame(error: Error): boolean {
    const culprit = outbox.loneFlight()
    if (culprit === undefined) return false
    const { address, body } = culprit.frame
    const refusal = publishRefusal(error, address.exchange ?? '', body.length)
    if (refusal?.code === 'link.forbidden') {
      const text = `the broker forbids publishing to exchange "${address.exchange}"; give the user permission to write there`
      report({ kind: 'fault', error: new GatewayError('link.forbidden', text, { cause: error }) })
    }
    const isOurs = (config.exchanges ?? []).some(({ name }) => name === address.exchange)
    // One of older rules may be gone for good, and nothing goes there any more.
    if (isNotFound(error) && address.exchange !== undefined && isOurs) missing.add(address.exchange)
    if (refusal !== undefined) refuse(culprit, refusal)
    else outbox.again(culprit, backoffMs(culprit.tries + 1, config.reconnect))
    return true
  }

  function channelRefused(model: ChannelModel, error: Error): void {
    channel = undefined
    if (!blame(error)) {
      suspects = Math.max(suspects, outbox.inFlight())
      outbox.putBack()
      outbox.narrow(1)
    }
    // Without a channel the connection is of no use to us; ending it makes its keeper begin anew.
    open(model).catch(() => model.close().catch(() => undefined))
  }

  async function open(model: ChannelModel): Promise<void> {
    const fresh = await model.createConfirmChannel()
    fresh.on('error', (error: Error) => {
      if (fresh === channel) channelRefused(model, error)
    })
    fresh.on('return', (message) => report({ kind: 'returned', frame: toFrame(message) }))
    channel = fresh
    pump()
  }

  return {
    async begin(model) {
      await open(model)
      progress.up()
    },
    lost() {
      progress.down()
      channel = undefined
      outbox.putBack()
    },
    send: outbox.add,
    unconfirmed: outbox.size,
    missing: () => [...missing],
    found: (exchange) => void missing.delete(exchange),
    idle: outbox.empty,
    close() {
      progress.down()
      outbox.close()
    },
  }
}
