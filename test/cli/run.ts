import { type ExitCode, type Io, runCli } from '../../src/cli/index.js'

/** What a command did. */
export interface Ran {
  readonly code: ExitCode
  readonly out: Buffer
  /** Lines of standard error. */
  readonly err: readonly string[]
}

/** Runs a command line in this process. `input` is standard input, in one piece or several. */
export async function patchbay(args: readonly string[], input: string | Uint8Array | Uint8Array[] = ''): Promise<Ran> {
  const chunks: Uint8Array[] = []
  const err: string[] = []
  const given = Array.isArray(input) ? input : [Buffer.from(input)]
  const io: Io = {
    stdin: (async function* () {
      yield* given
    })(),
    env: {},
    out: async (chunk) => void chunks.push(Buffer.from(chunk)),
    err: (line) => void err.push(line),
  }
  const code = await runCli(args, io)
  return { code, out: Buffer.concat(chunks), err }
}

/** A frame as `translate` writes and reads it. */
export interface FrameLine {
  address: Record<string, string>
  headers: Record<string, string>
  body: string
}

/** The lines of an output as JSON. */
export function jsonLines(out: Buffer): FrameLine[] {
  return out
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FrameLine)
}

/** JSON values as lines. */
export function asLines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('')
}
