import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runRubyContainer } from './containers.js'

/** A loaded value in the typed form that the head of `ruby-load.rb` describes, or Ruby's error. */
export type RubyOutcome =
  | { readonly value: unknown }
  | { readonly error: { readonly class: string; readonly message: string } }

/** The message classes of the legacy daemons. */
const MESSAGE_CLASSES = ['Channel_states', 'TerminalDialno', 'Terminal::TerminalDialno']
const SCRIPT = fileURLToPath(new URL('./ruby-load.rb', import.meta.url))
const OUTPUT_LIMIT_BYTES = 512 * 1024 * 1024

const hasRuby = () => spawnSync('ruby', ['--version'], { stdio: 'ignore' }).error === undefined

async function runRuby(input: string): Promise<string> {
  if (!hasRuby()) return runRubyContainer(await readFile(SCRIPT, 'utf8'), input)
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-ruby-'))
  try {
    const file = join(folder, 'input.json')
    await writeFile(file, input)
    const { stdout } = await promisify(execFile)('ruby', [SCRIPT, file], { maxBuffer: OUTPUT_LIMIT_BYTES })
    return stdout
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Has real Ruby load YAML texts with `YAML.safe_load`, in one process for all of them.
 * The message classes are defined and permitted, and `classes` beside them.
 */
export async function rubyTryLoad(
  texts: readonly Uint8Array[],
  classes: readonly string[] = [],
): Promise<RubyOutcome[]> {
  const encoded = texts.map((text) => Buffer.from(text).toString('base64'))
  const output = await runRuby(JSON.stringify({ classes: [...MESSAGE_CLASSES, ...classes], texts: encoded }))
  return JSON.parse(output) as RubyOutcome[] // printed by our own script
}

/**
 * As {@link rubyTryLoad}, but gives the typed values themselves.
 * @throws Error naming the first text that Ruby does not load.
 */
export async function rubyLoad(texts: readonly Uint8Array[], classes: readonly string[] = []): Promise<unknown[]> {
  const outcomes = await rubyTryLoad(texts, classes)
  return outcomes.map((outcome, index) => {
    if ('value' in outcome) return outcome.value
    throw new Error(`Ruby refuses text ${index}: ${outcome.error.class}: ${outcome.error.message}`)
  })
}
