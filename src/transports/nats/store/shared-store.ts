import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import { type NatsConnection, nanos } from '@nats-io/nats-core'
import { GatewayError } from '../../../errors.js'
import type { LinkEvent } from '../../transport.js'
import type { NatsConfig } from '../config.js'
import { type KeptConnection, keepConnection } from '../connection.js'
import { reasonOf, violation } from '../errors.js'
import { type Bucket, makeBucket } from './bucket.js'
import { isOutrun, unavailable, unusable } from './faults.js'
import { type Journal, type JournalStream, journalSubject, makeJournal } from './journal.js'

/** What replicas of one group know in common. */
export interface SharedStoreConfig {
  /** How its servers are reached. */
  readonly nats: Pick<
    NatsConfig,
    | 'name'
    | 'servers'
    | 'credentials'
    | 'tls'
    | 'access'
    | 'connectTimeoutMs'
    | 'pingIntervalMs'
    | 'maxPingsOut'
    | 'connect'
    | 'reconnectWaitMs'
  >
  readonly group: string
  /** Copies in a cluster, 1 to 5. */
  readonly copies: number
  /** Milliseconds after which a value vanishes that nobody wrote again. */
  readonly keepMs: number
  /** Make bucket and stream where they are missing; existing ones are compared, never changed. */
  readonly declare: boolean
  /** Whether to try on, from the first connection, after what no retry of ours can mend. Default: never. */
  readonly mayMend?: (error: GatewayError) => boolean
}

/** The store of a group of replicas, on a connection of its own. */
export interface SharedStore {
  readonly bucket: Bucket
  readonly journal: Journal
  /**
   * Opens it. Resolves once it stood and could be written; rejects with `state.store` for a store that is not as
   * configured, missing and not ours to make, or read-only, and with `link.connect` as a NATS link does.
   * @param up is called with each connection: whoever follows or watches begins anew
   */
  open(up: () => void, report: (event: LinkEvent) => void): Promise<void>
  close(): Promise<void>
}

/** Names of what a group has on its server. */
const storeNames = (group: string) => ({ bucket: `patchbay-${group}`, stream: `patchbay-${group}-journal` })

/** A replica may have tried an entry again for so long. */
const DUPLICATES_MS = 120_000
const PROBE = 'probe'

function storageOf(config: Partial<StreamConfig>, copies: number, what: string): void {
  if (config.num_replicas !== undefined && config.num_replicas !== copies) {
    throw unusable(`${what} exists with ${config.num_replicas} copies, and the configuration says ${copies}`)
  }
}

async function existing(manager: JetStreamManager, name: string): Promise<Partial<StreamConfig> | undefined> {
  try {
    return (await manager.streams.info(name)).config
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return undefined
    throw error
  }
}

/** A line of the journal that no link has: no name of a link has this sign. */
const PROBE_LINE = '=probe'

/** Refusals by number that time does not mend: no room for so many copies, JetStream not for this account, limits. */
const FINAL_CODES: ReadonlySet<number> = new Set([10005, 10028, 10035, 10039, 10074])

/** A stream that is full when we come will not empty itself. */
function full(error: unknown): JetStreamApiError | undefined {
  return error instanceof JetStreamApiError && FULL_CODES.has(error.code) ? error : undefined
}

function judge(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  const refused = violation(error)
  if (refused !== undefined) return unusable(`the server forbids it`, refused)
  if (error instanceof JetStreamApiError && FINAL_CODES.has(error.code)) return unusable(reasonOf(error), error)
  return unavailable('opening it', error)
}

/** Refusals by number of a stream that takes no more: messages, bytes, or the account's resources are used up. */
const FULL_CODES: ReadonlySet<number> = new Set([10047, 10077])

/** Makes the store of a group. */
export function makeSharedStore(config: SharedStoreConfig): SharedStore {
  const { group, copies, keepMs, declare } = config
  const names = storeNames(group)
  let kv: KV | undefined
  let stream: JournalStream | undefined
  let opened: { kv: KV; stream: JournalStream } | undefined
  let kept: KeptConnection | undefined
  let tellTrouble: (what: string, reason: string | undefined) => void = () => undefined

  async function openBucket(connection: NatsConnection, manager: JetStreamManager): Promise<KV> {
    const have = await existing(manager, `KV_${names.bucket}`)
    if (have === undefined && !declare) {
      throw unusable(`the bucket "${names.bucket}" is missing, and making it is switched off`)
    }
    if (have !== undefined) storageOf(have, copies, `the bucket "${names.bucket}"`)
    const bucket = new Kvm(jetstream(connection))
    if (have !== undefined) return bucket.open(names.bucket)
    return bucket.create(names.bucket, { replicas: copies, history: 1, ttl: keepMs, storage: StorageType.File })
  }

  async function openStream(manager: JetStreamManager): Promise<void> {
    const have = await existing(manager, names.stream)
    if (have !== undefined) {
      storageOf(have, copies, `the stream "${names.stream}"`)
      return
    }
    if (!declare) throw unusable(`the stream "${names.stream}" is missing, and making it is switched off`)
    await manager.streams.add({
      name: names.stream,
      subjects: [journalSubject(group, '*')],
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      num_replicas: copies,
      duplicate_window: nanos(DUPLICATES_MS),
    })
  }

  /** A store that can be read and not written would only show when a message is lost. */
  async function probe(what: string, write: Promise<unknown>): Promise<void> {
    try {
      await write
    } catch (error) {
      const refused = violation(error) ?? full(error)
      if (refused !== undefined) throw unusable(`the ${what} cannot be written`, refused)
      throw error
    }
  }

  /** Nothing of it stays: it is to stand behind an entry that there is not. Who may not publish hears that first. */
  async function probeJournal({ client }: JournalStream): Promise<void> {
    try {
      await client.publish(journalSubject(group, PROBE_LINE), '', { expect: { lastSequence: Number.MAX_SAFE_INTEGER } })
    } catch (error) {
      if (!isOutrun(error)) throw error
    }
  }

  async function setUp(connection: NatsConnection): Promise<void> {
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false })
      const bucket = await openBucket(connection, manager)
      await openStream(manager)
      const stream = { client: jetstream(connection), manager, maxPayload: connection.info!.max_payload }
      await probe(`bucket "${names.bucket}"`, bucket.put(PROBE, new Date().toISOString()))
      await probe(`stream "${names.stream}"`, probeJournal(stream))
      opened = { kv: bucket, stream }
    } catch (error) {
      throw judge(error)
    }
  }

  return {
    bucket: makeBucket(
      () => kv,
      (reason) => tellTrouble('the bucket takes nothing', reason),
    ),
    journal: makeJournal(
      names.stream,
      group,
      () => stream,
      (what, reason) => tellTrouble(what, reason),
    ),
    async open(up, report) {
      const troubles = new Map<string, string>()
      const tellTroubles = () => {
        for (const [what, reason] of troubles) report({ kind: 'down', error: unavailable(what, reason) })
      }
      tellTrouble = (what, reason) => {
        if (reason === undefined) troubles.delete(what)
        else troubles.set(what, reason)
        if (troubles.size === 0 && stream !== undefined) report({ kind: 'up' })
        else tellTroubles()
      }
      kept = keepConnection(config.nats, {
        mayMend: config.mayMend,
        setUp,
        up() {
          kv = opened?.kv
          stream = opened?.stream
          up()
        },
        down() {
          kv = undefined
          stream = undefined
        },
        violated: () => false, // each request hears of it by itself
        report(event) {
          report(event)
          if (event.kind === 'up') tellTroubles()
        },
      })
      await kept.opened
    },
    async close() {
      await kept?.close()
    },
  }
}
