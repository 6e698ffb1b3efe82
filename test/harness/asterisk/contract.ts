import type { Cdr } from './cdrs.js'

/** What an Asterisk of the tests is started with. */
export interface AsteriskOptions {
  /** `systemname`; default one of its own, `ast-3f9a…`. Empty leaves it unset, as in a stock configuration. */
  readonly systemName?: string
  /** `entityid`, six hex bytes with colons; default one of its own. */
  readonly entityId?: string
  /** The Stasis application of extension 600. Default `patchbay`; `app-NAME` reaches any other. */
  readonly app?: string
  /** Time zone by name, e.g. `Europe/Berlin`. Default UTC. */
  readonly timeZone?: string
  /** How long the dialplan's Dial() rings; seconds. Default 20. */
  readonly ringSeconds?: number
  /** After how long Asterisk closes idle REST connections; milliseconds. Default 15,000. */
  readonly keepAliveMs?: number
  /** Lines for `[general]` of ari.conf, e.g. `channelvars = X`. Default none. */
  readonly ariGeneral?: readonly string[]
  /** Text appended to configuration files by name, e.g. `{ 'extensions.conf': '[more]…' }`; others become files in `/srv/etc`. Default none. */
  readonly append?: Readonly<Record<string, string>>
  /** Whether it writes CDRs, for {@link TestAsterisk.cdrs}. Default false. */
  readonly writesCdrs?: boolean
}

/** An answer of Asterisk's REST interface; `body` is parsed JSON, else text, undefined when empty. */
export interface AriAnswer {
  readonly status: number
  readonly body: unknown
}

/** A real Asterisk on loopback ports of its own. `restart` keeps ports, configuration and registrations; `stop` removes all. */
export interface TestAsterisk {
  /** `http://127.0.0.1:PORT`, without `/ari`. */
  readonly url: string
  readonly httpPort: number
  readonly sipPort: number
  /** May write. */
  readonly user: string
  readonly password: string
  /** May only read. */
  readonly readOnlyUser: string
  readonly readOnlyPassword: string
  readonly systemName: string
  /** `asterisk_id` of every event. */
  readonly entityId: string
  /** The application that extension 600 enters. */
  readonly app: string
  /** Undefined inside a container. */
  readonly pid: number | undefined
  /** Runs a command of Asterisk's console, e.g. `core show channels`, and gives what it printed. */
  cli(command: string): Promise<string>
  /** Asks REST as the user who may write: `ari('GET', '/endpoints')`. A body is sent as JSON. */
  ari(method: string, path: string, body?: unknown): Promise<AriAnswer>
  /** The CDRs of the legs that ended so far. */
  cdrs(): Promise<readonly Cdr[]>
  /** The end of Asterisk's own log. */
  log(): Promise<string>
  /** Ends it with SIGKILL. */
  kill(): Promise<void>
  /** Ends it gently if it runs, and starts it again. */
  restart(): Promise<void>
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}
