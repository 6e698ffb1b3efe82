import { setTimeout as delay } from 'node:timers/promises'
import { type ChannelModel, connect, credentials, type Options, type SocketOptions } from 'amqplib'
import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import { clientMaterial, peerCertificateEnd } from '../tls.js'
import type { LinkEvent } from '../transport.js'
import type { AmqpAccess, AmqpConfig } from './config.js'
import { surviveDeepHeaders } from './deep-headers.js'
import { connectError, reasonOf } from './errors.js'
import { followLife, type LifeUse, streamOf } from './life.js'

/** A connection that is opened again whenever it is lost. */
export interface KeptConnection {
  /** Settles with the first connection: rejects only for what no retry can mend, or when closed before. */
  readonly opened: Promise<void>
  /** Closes for good. Idempotent. */
  close(): Promise<void>
}

/** What somebody does with a connection while it stands. */
export interface ConnectionUse {
  /** Makes channels and topology; an error makes this try to connect fail. */
  setUp(model: ChannelModel): Promise<void>
  /** The connection is gone, and with it all its channels. */
  lost(): void
  report(event: LinkEvent): void
  /** Whether to try on, from the first connection, after what no retry of ours can mend. Default: never. */
  readonly mayMend?: ((error: GatewayError) => boolean) | undefined
  /** What is asked while it stands. Default: nothing, and only heartbeats notice a silent broker. */
  readonly life?: Pick<LifeUse, 'probe' | 'mend'>
}

/** Milliseconds we wait for a peer's answer to our goodbye. */
const CLOSE_TIMEOUT_MS = 2000

interface Address {
  readonly options: Options.Connect
  readonly shown: string
}

function readAddress(url: string, config: AmqpConfig, { credentials: shown }: AmqpAccess): Address {
  const parsed = new URL(url)
  const given = shown === 'external' ? undefined : shown
  const options: Options.Connect = {
    protocol: parsed.protocol.replace(/:$/, ''),
    hostname: parsed.hostname.replace(/^\[|\]$/g, ''),
    vhost: parsed.pathname.length > 1 ? parsed.pathname.slice(1) : '/',
    username: given?.username ?? decodeURIComponent(parsed.username),
    password: given?.password ?? decodeURIComponent(parsed.password),
    heartbeat: config.heartbeatSeconds ?? 5,
  }
  if (parsed.port !== '') options.port = Number(parsed.port)
  return { options, shown: `${parsed.protocol}//${parsed.host}${parsed.pathname}` }
}

function socketOptions(config: AmqpConfig, purpose: string, access: AmqpAccess): SocketOptions {
  const options: SocketOptions = {
    ...clientMaterial(access.tls),
    noDelay: true,
    timeout: config.connectTimeoutMs ?? 10_000,
    clientProperties: { connection_name: `patchbay ${config.name ?? 'amqp'} ${purpose}` },
  }
  if (access.credentials === 'external') options.credentials = credentials.external()
  return options
}

/** Ends the socket under a connection: a peer that fell silent never answers a close, and its socket would stay. */
function destroySocket(model: ChannelModel): void {
  streamOf(model)?.destroy()
}

/** Resolves with the reason when the connection ends, in whatever way. */
function ending(model: ChannelModel, use: ConnectionUse): Promise<unknown> {
  return new Promise((resolve) => {
    let reason: unknown
    model.on('error', (error: Error) => {
      reason = error
    })
    model.on('blocked', (why: string) => use.report({ kind: 'blocked', reason: why }))
    model.on('unblocked', () => use.report({ kind: 'unblocked' }))
    model.on('close', (error?: Error) => {
      setTimeout(() => destroySocket(model), CLOSE_TIMEOUT_MS).unref()
      resolve(reason ?? error)
    })
  })
}

interface Standing {
  readonly model: ChannelModel
  readonly ended: Promise<unknown>
}

/** Rejects when the connection ends: the client library leaves some of its calls without an answer then. */
async function broken(ended: Promise<unknown>, where: string): Promise<never> {
  const reason = await ended
  const text = `${where} was lost again at once: ${reason === undefined ? 'closed by the peer' : reasonOf(reason)}`
  throw new GatewayError('link.lost', text, { fate: 'retry', cause: reason })
}

/** Says goodbye as the protocol wants it, but does not wait long for the answer. */
async function end({ model, ended }: Standing): Promise<void> {
  const timer = new AbortController()
  const tired = delay(CLOSE_TIMEOUT_MS, undefined, { signal: timer.signal }).catch(() => undefined)
  await Promise.race([model.close().catch(() => undefined), ended, tired])
  timer.abort()
  destroySocket(model)
}

/** Opens a connection for one purpose and keeps it open: the only place that reconnects. */
export function keepConnection(config: AmqpConfig, purpose: string, use: ConnectionUse): KeptConnection {
  const halt = new AbortController()
  let current: Standing | undefined
  let turn = 0
  let failures = 0

  async function open(): Promise<Standing> {
    const access = config.access?.() ?? config
    const { options, shown } = readAddress(config.urls[turn++ % config.urls.length] ?? '', config, access)
    const model = await connect(options, socketOptions(config, purpose, access)).catch((error: unknown) => {
      throw connectError(error, shown)
    })
    surviveDeepHeaders(model)
    const until = peerCertificateEnd(streamOf(model))
    if (until !== undefined) use.report({ kind: 'certificate', until })
    const ended = ending(model, use)
    current = { model, ended }
    await Promise.race([use.setUp(model), broken(ended, shown)])
    return current
  }

  async function abandon(): Promise<void> {
    use.lost()
    if (current !== undefined) await end(current)
    current = undefined
  }

  async function pause(): Promise<void> {
    const delayMs = backoffMs(++failures, config.reconnect)
    use.report({ kind: 'reconnecting', attempt: failures, delayMs })
    await delay(delayMs, undefined, { signal: halt.signal }).catch(() => undefined)
  }

  async function hold(standing: Standing): Promise<void> {
    failures = 0
    use.report({ kind: 'up' })
    const life = use.life && followLife(standing.model, purpose, { ...use.life, report: use.report })
    const reason = await standing.ended
    life?.stop()
    if (halt.signal.aborted) return
    const text = `connection lost: ${reason === undefined ? 'closed by the peer' : reasonOf(reason)}`
    use.report({ kind: 'down', error: new GatewayError('link.lost', text, { fate: 'retry', cause: reason }) })
  }

  async function run(onFirst: () => void, onRefused: (error: GatewayError) => void): Promise<void> {
    let first = true
    while (!halt.signal.aborted) {
      const standing = await open().catch(async (error: unknown) => {
        await abandon()
        return error instanceof GatewayError ? error : connectError(error, purpose)
      })
      if (halt.signal.aborted) break
      if (standing instanceof GatewayError) {
        if (first && standing.fate === 'reject' && use.mayMend?.(standing) !== true) return onRefused(standing)
        use.report({ kind: 'fault', error: standing })
      } else {
        if (first) onFirst()
        first = false
        await hold(standing)
        use.lost()
      }
      if (!halt.signal.aborted) await pause()
    }
    await abandon()
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
      if (current !== undefined) await end(current)
      await Promise.race([running, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
    },
  }
}
