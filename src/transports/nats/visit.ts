import type { NatsConnection } from '@nats-io/nats-core'
import { GatewayError } from '../../errors.js'
import type { LinkEvent } from '../transport.js'
import type { NatsConfig } from './config.js'
import { keepConnection } from './connection.js'

/** A connection for one errand: what is lost with it is not begun again. */
export interface NatsVisit {
  readonly connection: NatsConnection
  /** Rejects with `link.lost` when the connection ends before it is closed here; never resolves. */
  readonly lost: Promise<never>
  /** Idempotent. */
  close(): Promise<void>
}

const LOST = new GatewayError('link.lost', 'the connection was lost', { fate: 'retry' })

/**
 * Opens a connection for one errand, trying each server once.
 * @param report is told what else happens on it: a `fault` for each subject that the server forbids
 * @throws GatewayError `link.connect`
 */
export async function visitNats(config: NatsConfig, report: (event: LinkEvent) => void): Promise<NatsVisit> {
  const connections: NatsConnection[] = []
  let fail: (error: GatewayError) => void = () => undefined
  const lost = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  lost.catch(() => undefined) // whoever waits for something at the server looks at it
  const kept = keepConnection(config, {
    setUp: async (connection) => void connections.push(connection),
    up: () => undefined,
    down: () => undefined,
    violated: () => false, // reported as a fault as well
    report(event) {
      if (event.kind === 'fault' && connections.length === 0) fail(event.error)
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
  return { connection: connections[0]!, lost, close: kept.close }
}
