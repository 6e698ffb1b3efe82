import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  StorageType,
  type StreamInfo,
} from '@nats-io/jetstream'
import { type NatsConnection, nanos } from '@nats-io/nats-core'
import { GatewayError } from '../../errors.js'
import type { LinkEvent } from '../transport.js'
import type { NatsStream } from './config.js'
import { overlaps, reasonOf } from './errors.js'

const DUPLICATE_WINDOW_MS = 120_000

/** Whether a pattern takes every subject that `subject`, itself perhaps a pattern, takes. */
export function covers(pattern: string, subject: string): boolean {
  const wanted = subject.split('.')
  const given = pattern.split('.')
  for (const [at, token] of given.entries()) {
    if (token === '>') return at < wanted.length
    const other = wanted[at]
    if (other === undefined || other === '>') return false
    if (token !== '*' && token !== other) return false
  }
  return given.length === wanted.length
}

async function existing(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name)
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return undefined
    throw error
  }
}

async function owners(manager: JetStreamManager, subjects: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (const subject of subjects) {
    for await (const name of manager.streams.names(subject)) found.add(name)
  }
  return [...found]
}

async function create(manager: JetStreamManager, stream: NatsStream): Promise<StreamInfo> {
  const maxAgeMs = stream.maxAgeMs ?? 0
  const windowMs = stream.duplicateWindowMs ?? DUPLICATE_WINDOW_MS
  try {
    return await manager.streams.add({
      name: stream.name,
      subjects: [...stream.subjects],
      storage: stream.storage === 'memory' ? StorageType.Memory : StorageType.File,
      num_replicas: stream.replicas ?? 1,
      max_bytes: stream.maxBytes ?? -1,
      max_age: nanos(maxAgeMs),
      duplicate_window: nanos(maxAgeMs > 0 ? Math.min(windowMs, maxAgeMs) : windowMs),
    })
  } catch (error) {
    if (!overlaps(error)) throw error
    const names = (await owners(manager, stream.subjects)).map((name) => `"${name}"`).join(', ')
    const text = `cannot make stream "${stream.name}": ${names} already takes some of ${stream.subjects.join(', ')}`
    throw new GatewayError('link.refused', text, { cause: error })
  }
}

/** Those of `subjects` that a stream does not take. */
function uncovered({ config }: StreamInfo, subjects: readonly string[]): string[] {
  return subjects.filter((subject) => !config.subjects.some((pattern) => covers(pattern, subject)))
}

function compare(info: StreamInfo, stream: NatsStream, report: (event: LinkEvent) => void): StreamInfo {
  const missing = uncovered(info, stream.subjects)
  const have = info.config
  if (missing.length > 0) {
    const text = `stream "${stream.name}" exists and does not take ${missing.join(', ')}; it takes ${have.subjects.join(', ')}`
    throw new GatewayError('link.refused', text)
  }
  const wantedNs = nanos(stream.duplicateWindowMs ?? DUPLICATE_WINDOW_MS)
  if (have.duplicate_window < wantedNs && (stream.maxAgeMs ?? 0) === 0) {
    const text = `stream "${stream.name}" exists with a duplicate window of ${have.duplicate_window / 1e6} ms`
    report({ kind: 'fault', error: new GatewayError('link.refused', text, { fate: 'retry' }) })
  }
  return info
}

/**
 * Sees to it that the configured stream is there: makes it, or compares the one that is there. A missing
 * stream that is not ours to make is an error worth retrying, as is a server that cannot answer yet.
 * @param timeoutMs for each question to the server.
 * @returns the stream as it is.
 * @throws GatewayError `link.refused`, with fate `reject` where subjects overlap with another stream or are not covered.
 */
export async function ensureStream(
  connection: NatsConnection,
  stream: NatsStream,
  report: (event: LinkEvent) => void,
  timeoutMs = 5000,
): Promise<StreamInfo> {
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: timeoutMs })
    const have = await existing(manager, stream.name)
    if (have !== undefined) return compare(have, stream, report)
    if (stream.declare === false) throw new Error('it is missing, and making it is switched off')
    return await create(manager, stream)
  } catch (error) {
    if (error instanceof GatewayError) throw error
    const text = `stream "${stream.name}" cannot be used: ${reasonOf(error)}`
    throw new GatewayError('link.refused', text, { fate: 'retry', cause: error })
  }
}

/** A stream that takes all of these subjects, whatever its name. */
export async function streamOver(
  manager: JetStreamManager,
  subjects: readonly string[],
): Promise<StreamInfo | undefined> {
  for (const name of await owners(manager, subjects.slice(0, 1))) {
    const info = await existing(manager, name)
    if (info !== undefined && uncovered(info, subjects).length === 0) return info
  }
  return undefined
}
