import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, type NatsConnection, PermissionViolationError } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import { peerCertificateEnd, tlsRefusal } from '../tls.js'
import type { LinkEvent } from '../transport.js'
import { accessOf, accessOptions } from './access.js'
import type { NatsConfig } from './config.js'
import { connectError, forbidden, reasonOf } from './errors.js'
import { tlsDiagnosis } from './tls-diagnosis.js'

/** What somebody does with the connection while it stands. */
export interface ConnectionUse {
  /** Subscribes and the like, once for each connection the library keeps; an error makes this try to connect fail. */
  setUp(connection: NatsConnection): Promise<void>
  /** The connection stands, for the first time or again. */
  up(connection: NatsConnection): void
  down(): void
  /** Something was forbidden. Answers whether it concerns only answers, whose subjects others choose. */
  violated(error: PermissionViolationError): boolean
  report(event: LinkEvent): void
  /** Whether to try on, from the first connection, after what no retry of ours can mend. Default: never. */
  readonly mayMend?: ((error: GatewayError) => boolean) | undefined
}

/** A connection that comes back by itself. */
export interface KeptConnection {
  /** Settles with the first connection: rejects only for what no retry can mend, or when closed before. */
  readonly opened: Promise<void>
  /** Closes for good. Idempotent. */
  close(): Promise<void>
}

interface Standing {
  readonly connection: NatsConnection
  /** Ends when the connection is closed for good. */
  readonly watching: Promise<void>
}

/** Milliseconds without success after which TLS is looked into. */
const DIAGNOSE_AFTER_MS = 1000

/** Milliseconds a goodbye may take. */
const CLOSE_TIMEOUT_MS = 2000

/** Tries of the client library to come back after which we look ourselves why it does not: it keeps that to itself. */
const LOOK_AFTER_TRIES = 2
/** Milliseconds between two such looks. */
const LOOK_AGAIN_MS = 10_000

function connectionOptions(config: NatsConfig): ConnectionOptions {
  const waitMs = config.reconnectWaitMs ?? 500
  return {
    servers: [...config.servers],
    name: `patchbay ${config.name ?? 'nats'}`,
    timeout: config.connectTimeoutMs ?? 10_000,
    pingInterval: config.pingIntervalMs ?? 1000,
    maxPingOut: config.maxPingsOut ?? 2,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => waitMs + Math.random() * (waitMs / 2),
    noAsyncTraces: true,
    ...accessOptions(config),
  }
}

/** The servers without credentials. */
function shown({ servers }: NatsConfig): string {
  return servers.map((server) => server.replace(/\/\/[^@/]*@/, '//')).join(', ')
}

/** Connects; where that takes long and TLS is in play, a diagnosis may say sooner and better what is wrong. */
async function dial(config: NatsConfig): Promise<NatsConnection> {
  const connecting = connect(connectionOptions(config))
  const { servers } = config
  const { tls } = accessOf(config)
  if (tls === undefined) return connecting
  const timer = new AbortController()
  const diagnosis = delay(DIAGNOSE_AFTER_MS, undefined, { signal: timer.signal }).then(async () => {
    const error = await tlsDiagnosis(servers[0] ?? '', tls)
    return tlsRefusal(error) === undefined ? connecting : Promise.reject(error)
  })
  try {
    return await Promise.race([connecting, diagnosis])
  } catch (error) {
    connecting.then(close, () => undefined)
    throw error
  } finally {
    timer.abort()
    diagnosis.catch(() => undefined)
  }
}

async function close(connection: NatsConnection): Promise<void> {
  await Promise.race([connection.close().catch(() => undefined), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
}

/** Says once in a while why the client library does not come back, where that is for a reason that no retry can mend. */
function makeLook(config: NatsConfig, use: ConnectionUse, isDown: () => boolean): (tries: number) => void {
  let lookedAt = Number.NEGATIVE_INFINITY
  async function look(): Promise<void> {
    try {
      await close(await dial(config))
    } catch (cause) {
      const error = connectError(cause, shown(config))
      if (error.fate === 'reject' && isDown()) use.report({ kind: 'fault', error })
    }
  }
  return (tries) => {
    if (tries < LOOK_AFTER_TRIES) return
    if (tries > LOOK_AFTER_TRIES && performance.now() - lookedAt < LOOK_AGAIN_MS) return
    lookedAt = performance.now()
    void look()
  }
}

function tellCertificate(connection: NatsConnection, use: ConnectionUse): void {
  const protocol: unknown = Reflect.get(connection, 'protocol') // its socket is not part of the library's types
  const transport: unknown = protocol instanceof Object ? Reflect.get(protocol, 'transport') : undefined
  const until = peerCertificateEnd(transport instanceof Object ? Reflect.get(transport, 'socket') : undefined)
  if (until !== undefined) use.report({ kind: 'certificate', until })
}

/** Turns the library's stream of events into ours, until the connection is closed for good. */
async function watch(connection: NatsConnection, config: NatsConfig, use: ConnectionUse): Promise<void> {
  let reason: unknown
  let tries = 0
  const look = makeLook(config, use, () => tries > 0 && !connection.isClosed())
  for await (const status of connection.status()) {
    if (status.type === 'error') {
      reason = status.error
      if (status.error instanceof PermissionViolationError) {
        const isOfAnAnswer = use.violated(status.error)
        // Of a subscription its subscriber tells.
        const isToTell = status.error.operation === 'publish' && !isOfAnAnswer
        if (isToTell) use.report({ kind: 'fault', error: forbidden(status.error) })
      }
    } else if (status.type === 'staleConnection') {
      reason = 'the server does not answer pings'
    } else if (status.type === 'disconnect') {
      use.down()
      const text = `connection lost: ${reasonOf(reason ?? 'closed by the peer')}`
      use.report({ kind: 'down', error: new GatewayError('link.lost', text, { fate: 'retry', cause: reason }) })
      reason = undefined
    } else if (status.type === 'reconnecting') {
      use.report({ kind: 'reconnecting', attempt: ++tries, delayMs: config.reconnectWaitMs ?? 500 })
      look(tries)
    } else if (status.type === 'reconnect') {
      // What the server told until it had the subscriptions again is missed, so the link is up only now.
      const isStanding = await connection.flush().then(
        () => true,
        () => false,
      )
      if (!isStanding) continue // lost again, which is told next
      tries = 0
      tellCertificate(connection, use)
      use.up(connection)
      use.report({ kind: 'up' })
    }
  }
}

/**
 * Opens a connection. Until it stands for the first time the tries are ours, because the library would try
 * wrong credentials for ever; from then on the library alone reconnects. Should it give up all the same,
 * the first phase begins again.
 */
export function keepConnection(config: NatsConfig, use: ConnectionUse): KeptConnection {
  const halt = new AbortController()
  let current: NatsConnection | undefined

  async function open(): Promise<Standing> {
    const connection = await dial(config).catch((error: unknown) => {
      throw connectError(error, shown(config))
    })
    current = connection
    const watching = watch(connection, config, use) // before the set-up, whose refusals show there
    try {
      await use.setUp(connection)
    } catch (error) {
      await close(connection)
      throw error
    }
    return { connection, watching }
  }

  async function hold({ connection, watching }: Standing): Promise<void> {
    tellCertificate(connection, use)
    use.up(connection)
    use.report({ kind: 'up' })
    const error = await connection.closed()
    await watching
    use.down()
    if (halt.signal.aborted) return
    const text = `connection closed: ${reasonOf(error ?? 'by the client library')}`
    use.report({ kind: 'down', error: new GatewayError('link.lost', text, { fate: 'retry', cause: error }) })
  }

  async function run(onFirst: () => void, onRefused: (error: GatewayError) => void): Promise<void> {
    let first = true
    let failures = 0
    while (!halt.signal.aborted) {
      const opened = await open().catch((error: unknown) =>
        error instanceof GatewayError ? error : connectError(error, shown(config)),
      )
      if (halt.signal.aborted) break
      if (!(opened instanceof GatewayError)) {
        failures = 0
        if (first) onFirst()
        first = false
        await hold(opened)
        continue
      }
      if (first && opened.fate === 'reject' && use.mayMend?.(opened) !== true) return onRefused(opened)
      use.report({ kind: 'fault', error: opened })
      const delayMs = backoffMs(++failures, config.connect)
      use.report({ kind: 'reconnecting', attempt: failures, delayMs })
      await delay(delayMs, undefined, { signal: halt.signal }).catch(() => undefined)
    }
    if (current !== undefined) await close(current)
  }

  let running: Promise<void> = Promise.resolve()
  const opened = new Promise<void>((resolve, reject) => {
    const early = () => reject(new GatewayError('gateway.stopping', 'closed before it was open', { fate: 'retry' }))
    running = run(resolve, reject).finally(early)
  })
  opened.catch(() => undefined) // whoever starts the link looks at it; closing early is no fault
  return {
    opened,
    async close() {
      halt.abort()
      if (current !== undefined) await close(current)
      await Promise.race([running, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
    },
  }
}
