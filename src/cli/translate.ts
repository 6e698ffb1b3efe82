import { createReadStream, statSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { formatFault } from '../config/index.js'
import { GatewayError } from '../errors.js'
import { type Dialects, openDialects } from '../gateway/dialects.js'
import type { SettingValues } from '../mapping/load.js'
import type { CliCommand, CommandContext } from './command.js'
import { allOf, EXIT, type ExitCode, type Io, linesOf, WrongUse } from './io.js'
import { withShipped } from './shipped.js'
import { frameLine, parseLine } from './translate/frames.js'
import { ruledTranslator } from './translate/rules.js'
import { FACTS, type Shortfalls, type Translated, type Translator, translator } from './translate/translator.js'

interface Options {
  readonly from: string
  readonly to: string
  readonly address?: Record<string, string>
  readonly set?: Record<string, SettingValues>
  readonly mapping?: string[]
  readonly frames?: boolean
  readonly bodies?: boolean
  readonly at?: number
  readonly rules?: boolean
  readonly loopback?: boolean
}

const HELP = `
Input is one raw body from FILE or standard input; with --frames (and always with
--from facts) it is JSON lines: {"address":{…},"headers":{…},"body":"…"}, or
"body64" for bytes that are not UTF-8. Output is JSON lines of the same shape, or
with --to facts {"address":{…},"headers":{…},"body":{"facts":[…],"ext":{…}}}: one
line for each wire message, also for one that tells no event.
Without --address a message is recognised by its content.

Examples:
  patchbay translate --from voice-events --to xcc call-state.yaml
  patchbay translate --from voice-events --to facts --at 2026-01-01T08:00:00Z call-state.yaml
  patchbay translate --from xcc --to voice-events --frames --bodies < frames.jsonl
  patchbay translate --from facts --to voice-events --bodies --set voice-events.profile=psych-4 < facts.jsonl
  patchbay translate --from voice-events --to xcc --address exchange=voice_events,key=channel.call_state call-state.yaml`

/** `patchbay translate`: messages of one dialect in, of another out, without any broker. */
export const translateCommand: CliCommand = {
  name: 'translate',
  register(command: Command, { io, exit }: CommandContext) {
    command
      .description('Translates messages from one dialect to another, or to and from facts of the neutral model.')
      .argument('[FILE]', 'input; standard input without it')
      .requiredOption('--from <dialect>', 'dialect of the input, or facts')
      .requiredOption('--to <dialect>', 'dialect of the output, or facts')
      .option('--address <k=v,…>', 'address of a raw body, such as exchange=voice_events,key=channel.call_state', pairs)
      .option('--set <dialect.name=value>', 'another value for a setting of a mapping; may be repeated', setting)
      .option('--mapping <file>', 'a mapping file in place of the shipped one of its dialect; may be repeated', append)
      .option('--frames', 'read JSON lines')
      .option('--bodies', 'write bodies only')
      .option('--at <time>', 'stands for the time of receipt: ISO 8601, or milliseconds since 1970', moment)
      .option('--rules', "keep the target's rules about sequences, as the running gateway does")
      .option('--loopback', 'with --rules: also loopback channels, as on a route that says so')
      .addHelpText('after', HELP)
      .action(async (file: string | undefined, options: Options) => exit(await translate(file, options, io)))
  },
}

function pairs(text: string, before: Record<string, string> = {}): Record<string, string> {
  const found = { ...before }
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=')
    if (at < 1) throw new InvalidArgumentError('want name=value, several separated by commas.')
    found[pair.slice(0, at)] = pair.slice(at + 1)
  }
  return found
}

function setting(text: string, before: Record<string, SettingValues> = {}): Record<string, SettingValues> {
  const match = /^([^.=]+)\.([^=]+)=(.*)$/s.exec(text)
  if (match === null) throw new InvalidArgumentError('want dialect.name=value, such as voice-events.profile=psych-4.')
  const [, dialect, name, value] = match as unknown as [string, string, string, string]
  return { ...before, [dialect]: { ...before[dialect], [name]: value } }
}

function append(text: string, before: string[] = []): string[] {
  return [...before, text]
}

function moment(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isSafeInteger(ms)) {
    throw new InvalidArgumentError('want a time such as 2026-01-01T08:00:00Z, or milliseconds since 1970.')
  }
  return ms
}

async function translate(file: string | undefined, options: Options, io: Io): Promise<ExitCode> {
  const asLines = options.frames === true || options.from === FACTS
  if (asLines && options.address !== undefined)
    throw new WrongUse('--address is for one raw body; in JSON lines each line has its own address')
  if (options.rules && (options.from === FACTS || options.to === FACTS))
    throw new WrongUse('--rules are those of a target dialect towards a source dialect; facts have none')
  if (options.loopback && !options.rules)
    throw new WrongUse('--loopback is a matter of the rules; want --rules with it')
  const input = openInput(file, io)
  const opened = openDialects(withShipped(options.mapping ?? []), options.set ?? {})
  if ('faults' in opened) {
    for (const fault of opened.faults) io.err(formatFault(fault))
    return EXIT.faults
  }
  checkNames(options, opened.dialects)
  const { from, to, at, loopback = false } = options
  const make = options.rules ? ruledTranslator : translator
  const translation = make({ dialects: opened.dialects, from, to, at, loopback })
  const write = writer(options.bodies === true, io)
  const good = asLines
    ? await translateLines(input, translation, write, io)
    : await translateBody(await allOf(input), file ?? 'standard input', options, translation, write, io)
  noteShortfalls(translation.shortfalls(), options.to, io)
  return good ? EXIT.fine : EXIT.faults
}

function openInput(file: string | undefined, io: Io): AsyncIterable<Uint8Array> {
  if (file === undefined || file === '-') return io.stdin
  try {
    if (statSync(file).isDirectory()) throw new WrongUse(`${file} is a folder; want a file`)
  } catch (cause) {
    if (cause instanceof WrongUse) throw cause
    throw new WrongUse(`${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`) // only file system errors come here
  }
  return createReadStream(file)
}

function checkNames({ from, to, set = {} }: Options, dialects: Dialects): void {
  const known = [...dialects.keys()]
  for (const [option, name] of Object.entries({ from, to })) {
    if (name !== FACTS && !dialects.has(name))
      throw new WrongUse(`--${option}: there is no dialect ${name}; want ${known.join(', ')} or ${FACTS}`)
  }
  for (const name of Object.keys(set)) {
    if (!dialects.has(name)) throw new WrongUse(`--set: there is no dialect ${name}; want ${known.join(' or ')}`)
  }
}

type Write = (translated: readonly Translated[]) => Promise<void>

async function translateLines(
  input: AsyncIterable<Uint8Array>,
  translation: Translator,
  write: Write,
  io: Io,
): Promise<boolean> {
  let good = true
  for await (const { number, bytes } of linesOf(input)) {
    if (bytes !== undefined && isBlank(bytes)) continue
    try {
      if (bytes === undefined) throw new GatewayError('codec.limit', 'the line is longer than 64 MiB')
      await write(await translation.take(parseLine(bytes)))
    } catch (error) {
      good = false
      io.err(`line ${number}: ${reasonOf(error)}`)
    }
  }
  try {
    await write(translation.finish())
  } catch (error) {
    good = false
    io.err(`end of input: ${reasonOf(error)}`)
  }
  return good
}

async function translateBody(
  body: Uint8Array,
  name: string,
  { address }: Options,
  translation: Translator,
  write: Write,
  io: Io,
): Promise<boolean> {
  try {
    await write(await translation.take({ address, headers: {}, body }))
    return true
  } catch (error) {
    io.err(`${name}: ${reasonOf(error)}`)
    return false
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof GatewayError) return `${error.code}: ${error.message}`
  throw error
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09)
}

const LINE_FEED = 0x0a

/** Bodies stand as they are; a line feed is put between two that would run into each other. */
function writer(bodiesOnly: boolean, io: Io): Write {
  let isOpen = false
  return async (translated) => {
    for (const each of translated) {
      if (each.kind === 'facts') {
        const { address = {}, headers, body } = each
        await io.out(`${JSON.stringify(bodiesOnly ? body : { address, headers, body })}\n`)
      } else if (bodiesOnly) {
        const { body } = each.frame
        if (isOpen) await io.out('\n')
        if (body.length > 0) await io.out(body)
        isOpen = body.length > 0 && body.at(-1) !== LINE_FEED
      } else await io.out(`${frameLine(each.frame)}\n`)
    }
  }
}

function noteShortfalls({ unsaid, empty, incomplete }: Shortfalls, to: string, io: Io): void {
  const total = [...unsaid.values()].reduce((sum, count) => sum + count, 0)
  if (total > 0) {
    const kinds = [...unsaid].map(([kind, count]) => `${count} ${kind}`).join(', ')
    io.err(`note: ${to} has no word for ${plural(total, 'fact')} (${kinds})`)
  }
  if (empty > 0) io.err(`note: ${plural(empty, 'message')} told no event, so nothing was written for ${it(empty)}`)
  if (incomplete > 0)
    io.err(`note: ${plural(incomplete, 'message')} lacked parts; what there was of ${it(incomplete)} was written`)
}

const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
const it = (count: number) => (count === 1 ? 'it' : 'them')
