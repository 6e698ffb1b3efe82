import { once } from 'node:events'

/** Where a command reads and writes; the process's own, or a test's. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes to standard output and waits until there is room for more. */
  out(chunk: string | Uint8Array): Promise<void>
  /** Writes a line to standard error. */
  err(line: string): void
}

/** What a command ends with: everything fine, faults found, wrong use. */
export const EXIT = { fine: 0, faults: 1, wrongUse: 2 } as const

/** One of the values of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A command used in a way it does not know: the text goes to standard error, the exit code is 2. */
export class WrongUse extends Error {}

/** The process's own streams. A reader of our output that goes away ends the process without a word. */
export function processIo(): Io {
  const { stdin, stdout, stderr } = process
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT.fine)
      throw error
    })
  }
  return {
    stdin,
    env: process.env,
    async out(chunk) {
      if (!stdout.write(chunk)) await once(stdout, 'drain')
    },
    err: (line) => void stderr.write(`${line}\n`),
  }
}

/** Longest line and largest body taken from a file, bytes; codecs have their own, lower limits. */
const MAX_BYTES = 64 * 1024 * 1024
const LINE_FEED = 0x0a

/** A line of a stream, counted from 1, without its line feed. */
export interface Line {
  readonly number: number
  /** Undefined for a line longer than 64 MiB, which was passed over. */
  readonly bytes: Uint8Array | undefined
}

/** The lines of a stream, one at a time, never more than one in memory. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let number = 1
  let parts: Uint8Array[] = []
  let size = 0
  const take = (): Line => {
    const bytes = size > MAX_BYTES ? undefined : parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    parts = []
    size = 0
    return { number: number++, bytes }
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      size += end - from
      if (size <= MAX_BYTES) parts.push(chunk.subarray(from, end))
      yield take()
      from = end + 1
    }
    if (from === chunk.length) continue
    size += chunk.length - from
    if (size <= MAX_BYTES) parts.push(chunk.subarray(from))
    else parts = []
  }
  if (size > 0) yield take()
}

/** The whole of a stream. @throws WrongUse beyond 64 MiB */
export async function allOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > MAX_BYTES)
      throw new WrongUse(`the body is larger than ${MAX_BYTES} bytes; for many messages use --frames`)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}
