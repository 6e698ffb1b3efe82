import type { TlsConfig } from '../tls.js'

/** Somebody who may connect. */
export interface AriUser {
  /** Must not hold a colon. */
  readonly name: string
  readonly password: string
  /** May only read; connecting for events counts as reading. Default false. */
  readonly readOnly?: boolean
}

/** Who may come, and what they are shown. */
export type AriServerAccess = Pick<AriServerConfig, 'users' | 'tls'>

/** How {@link ariServerTransport} listens, and what it bears. */
export interface AriServerConfig {
  /** Names the link in events and errors. Default `ari-server`. */
  readonly name?: string
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string
  /** 0 takes any free port. Default 8088. */
  readonly port?: number
  readonly users: readonly AriUser[]
  /**
   * `asterisk_id` of what we say ourselves and of events whose mapping sets none, and the name that
   * `GET /ari/asterisk/info` tells. Default `patchbay`.
   */
  readonly asteriskId?: string
  /** `Origin`s of web pages that may come, `*` for all. Requests without that header always may. Default none. */
  readonly allowedOrigins?: readonly string[]
  /** With `cert` and `key` we speak HTTPS and WSS; with `ca` clients need a certificate that it vouches for. */
  readonly tls?: TlsConfig
  /** Both as they are now, asked for when they were renewed. Default: `users` and `tls`. */
  readonly access?: () => AriServerAccess
  /** Event types beside those of Asterisk that applications may be sent. Default none. */
  readonly extraEvents?: readonly string[]
  /** Bytes that may wait for one socket before it is closed. Default 4,194,304. */
  readonly backlogBytes?: number
  /** Largest body of a request. Default 65,536. */
  readonly bodyBytes?: number
  /** Largest frame from a client. Default 131,072. */
  readonly messageBytes?: number
  /** Milliseconds a client has for a request, head and body. Default 10,000. */
  readonly requestTimeoutMs?: number
  /** Milliseconds between pings; a socket that has not answered by the next one is cut. Default 20,000. */
  readonly pingIntervalMs?: number
  /** Event sockets at a time. Default 100. */
  readonly maxSockets?: number
  /** Milliseconds `stop` waits for sockets to close. Default 10,000. */
  readonly stopGraceMs?: number
}
