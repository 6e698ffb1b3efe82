import type { ChannelModel } from 'amqplib'
import { GatewayError } from '../../errors.js'
import type { LinkEvent } from '../transport.js'
import type { AmqpConfig } from './config.js'
import { keepConnection } from './connection.js'

/** A connection for one errand: it is not opened again when it is lost. */
export interface AmqpVisit {
  readonly model: ChannelModel
  /** Rejects with `link.lost` when the connection ends before it is closed here; never resolves. */
  readonly lost: Promise<never>
  /** Idempotent. */
  close(): Promise<void>
}

const LOST = new GatewayError('link.lost', 'the connection was lost', { fate: 'retry' })

/**
 * Opens a connection for one errand, trying each address once.
 * @param purpose names it at the broker, beside the link
 * @param report is told what else happens to it, such as `blocked`
 * @throws GatewayError `link.connect` with what the last address said
 */
export async function visitAmqp(
  config: AmqpConfig,
  purpose: string,
  report: (event: LinkEvent) => void,
): Promise<AmqpVisit> {
  const models: ChannelModel[] = []
  let fail: (error: GatewayError) => void = () => undefined
  const lost = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  lost.catch(() => undefined) // whoever waits for something at the broker looks at it
  let refusals = 0
  const kept = keepConnection(config, purpose, {
    setUp: async (model) => void models.push(model),
    lost: () => undefined,
    report(event) {
      if (event.kind === 'fault' && ++refusals >= config.urls.length) fail(event.error)
      else if (event.kind === 'down') fail(event.error ?? LOST)
      else report(event)
    },
  })
  try {
    await Promise.race([kept.opened, lost])
  } catch (error) {
    await kept.close()
    throw error
  }
  return { model: models[0]!, lost, close: kept.close }
}
