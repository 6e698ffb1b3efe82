import type { BackoffConfig } from '../backoff.js'
import type { TlsConfig } from '../tls.js'

/**
 * What Asterisk is asked to tell beyond the channels that enter our application. Asterisk sends an event once
 * for each subscription that covers it, so `all` stands alone.
 */
export interface AriSubscribe {
  /** Everything that Asterisk tells, EndpointStateChange excepted: registrations show in PeerStatusChange. */
  readonly all: boolean
  /** `TECH` or `TECH/NAME` each, or every endpoint. */
  readonly endpoints?: readonly string[] | 'all'
  /** Names of devices, such as `PJSIP/1001` or `Custom:door`, or every device. */
  readonly deviceStates?: readonly string[] | 'all'
  readonly bridges?: 'all'
  readonly channels?: 'all'
}

/** Types of events that Asterisk itself holds back. Names are not checked by Asterisk. */
export interface AriEventFilter {
  /** Only these; empty is all of them. */
  readonly allowed: readonly string[]
  readonly disallowed: readonly string[]
}

/**
 * Where an Asterisk (20.15, 22.5 and later) connects to, instead of us to it. Links with the same host and port share a
 * listener; a connection belongs to the link whose path, user and password it names.
 */
export interface AriListen {
  readonly host: string
  readonly port: number
  /** Of the `uri` in websocket_client.conf, without a query. */
  readonly path: string
  /** What Asterisk presents. */
  readonly username: string
  readonly password: string
  /** Our certificate and key; with `ca` Asterisk needs a certificate, too. Default: no TLS. */
  readonly tls?: TlsConfig
}

/** What an Asterisk tells of itself. */
export interface AriSystem {
  /** `systemname` of asterisk.conf, with which ids of channels begin; empty where it is not set. */
  readonly name: string
  /** `entityid`, by default a MAC address, which all Asterisks of one host share. */
  readonly entityId: string
  /** As Asterisk writes times. */
  readonly startupTime: string
}

/** Longest wait before an application is taken back; the schema of links allows no larger `replacedRetryMs`. Milliseconds. */
export const MAX_REPLACED_MS = 3_600_000

/** What we present, whom we trust, and what an Asterisk that comes to us has to present. */
export type AriAccess = Pick<AriConfig, 'credentials' | 'tls' | 'listen'>

/** How {@link ariTransport} reaches an Asterisk and what it does there. Times in milliseconds. */
export interface AriConfig {
  /** Names the link in events and errors. Default `ari`. */
  readonly name?: string
  /** `http[s]://host[:port][/prefix]`, without `/ari` and without credentials. */
  readonly url: string
  readonly credentials: { readonly username: string; readonly password: string }
  /** Application under which we subscribe; the newest socket of a name gets its events. */
  readonly app: string
  /** Our id of this Asterisk: `node` in the address of every frame. */
  readonly node: string
  readonly subscribe?: AriSubscribe
  /** Default: without ChannelVarset and ChannelDialplan. */
  readonly eventFilter?: AriEventFilter
  /** Devices whose state every picture holds, beside those it has anyway. */
  readonly devices?: readonly string[]
  readonly tls?: TlsConfig
  /** All three as they are now, asked for each connection. Default: `credentials`, `tls` and `listen`. */
  readonly access?: () => AriAccess
  /** Asterisk opens the events socket; requests go to `url` as ever. Default: we open it. */
  readonly listen?: AriListen
  /** For one try to open the socket. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** Pauses between tries to connect. */
  readonly reconnect?: BackoffConfig
  /** Between pings. Default 1,000. */
  readonly pingIntervalMs?: number
  /** For the answer to a ping: a silent peer is noticed within this and `pingIntervalMs`. Default 3,000. */
  readonly pongTimeoutMs?: number
  /**
   * Until the application is taken back from another subscriber; twice as long each time it is lost again soon, up
   * to {@link MAX_REPLACED_MS}. 0 is never. Default 60,000.
   */
  readonly replacedRetryMs?: number
  /** For one request, its wait for a connection included. Default 10,000. */
  readonly requestTimeoutMs?: number
  /** Default 16. */
  readonly maxConcurrentRequests?: number
  /** Deliveries that may be unsettled at a time; what comes beyond is dropped and reported, and a picture follows. Default 16,384. */
  readonly maxUnsettled?: number
  /** Where frames go that name no `app` in their address. Default: `app`. */
  readonly userEvents?: { readonly application: string }
  /** Whether ids are made unlike those of other nodes elsewhere, so that an Asterisk without a name of its own will do. Default false. */
  readonly qualifyIds?: boolean
  /** Says why an Asterisk must not be used, or undefined where it may. */
  readonly refuseSystem?: (system: AriSystem) => string | undefined
  /** For `drain` and `stop` together. Default 10,000. */
  readonly stopGraceMs?: number
}

/** Where ARI stands on the server: origin, and path without a slash at its end. */
export function ariBase({ url }: AriConfig): { readonly origin: string; readonly path: string } {
  const { origin, pathname } = new URL(url)
  return { origin, path: `${pathname.replace(/\/+$/, '')}/ari` }
}

/** What we present and whom we trust, as it is now. */
export function accessOf(config: AriConfig): AriAccess {
  return config.access?.() ?? config
}

/** The value of the header that says who we are. */
export function authorization({ credentials: { username, password } }: AriAccess): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
}
