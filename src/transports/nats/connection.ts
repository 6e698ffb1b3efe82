import { setTimeout as delay } from 'node:timers/promises'
import {
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  PermissionViolationError,
} from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import { tlsRefusal } from '../tls.js'
import type { LinkEvent } from '../transport.js'
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
  violated(error: PermissionViolationError): void
  report(event: LinkEvent): void
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

const asText = (pem: string | Uint8Array) => (typeof pem === 'string' ? pem : Buffer.from(pem).toString('utf8'))

function tlsOptions({ tls }: NatsConfig): NonNullable<ConnectionOptions['tls']> | undefined {
  if (tls === undefined) return undefined
  return {
    ...(tls.ca === undefined ? {} : { ca: asText(tls.ca) }),
    ...(tls.cert === undefined ? {} : { cert: asText(tls.cert) }),
    ...(tls.key === undefined ? {} : { key: asText(tls.key) }),
    ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
    ...(tls.servername === undefined ? {} : { servername: tls.servername }),
  }
}

function loginOptions({ credentials }: NatsConfig): ConnectionOptions {
  if (credentials === undefined) return {}
  const bytes = (text: string) => new TextEncoder().encode(text)
  if ('token' in credentials) return { token: credentials.token }
  if ('nkeySeed' in credentials) return { authenticator: nkeyAuthenticator(bytes(credentials.nkeySeed)) }
  if ('creds' in credentials) return { authenticator: credsAuthenticator(bytes(credentials.creds)) }
  return { user: credentials.username, pass: credentials.password }
}

function connectionOptions(config: NatsConfig): ConnectionOptions {
  const waitMs = config.reconnectWaitMs ?? 500
  const tls = tlsOptions(config)
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
    ...(tls === undefined ? {} : { tls }),
    ...loginOptions(config),
  }
}

/** The servers without credentials. */
function shown({ servers }: NatsConfig): string {
  return servers.map((server) => server.replace(/\/\/[^@/]*@/, '//')).join(', ')
}

/** Connects; where that takes long and TLS is in play, a diagnosis may say sooner and better what is wrong. */
async function dial(config: NatsConfig): Promise<NatsConnection> {
  const connecting = connect(connectionOptions(config))
  const { tls, servers } = config
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

/** Turns the library's stream of events into ours, until the connection is closed for good. */
async function watch(connection: NatsConnection, config: NatsConfig, use: ConnectionUse): Promise<void> {
  let reason: unknown
  let tries = 0
  for await (const status of connection.status()) {
    if (status.type === 'error') {
      reason = status.error
      if (status.error instanceof PermissionViolationError) {
        use.violated(status.error)
        use.report({ kind: 'fault', error: forbidden(status.error) })
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
    } else if (status.type === 'reconnect') {
      // What the server told until it had the subscriptions again is missed, so the link is up only now.
      const isStanding = await connection.flush().then(
        () => true,
        () => false,
      )
      if (!isStanding) continue // lost again, which is told next
      tries = 0
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
      if (first && opened.fate === 'reject') return onRefused(opened)
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
