import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { type CustomParams, checkYaml, type Fault, nearest, readYaml } from '../../config/index.js'
import { CAUSE_NAMES, completeCause } from '../../model/index.js'
import { compilePatterns, type PatternRow, unknownHoles } from './patterns.js'
import type { SteeringTables } from './tables.js'

const row = z.array(z.string()).superRefine((texts, ctx) => {
  const refuse = (message: string, right: string) => {
    const params: CustomParams = { right }
    ctx.addIssue({ code: 'custom', message, params: { ...params } })
  }
  const [meant = '', said = ''] = texts
  if (texts.length !== 2 || meant === '' || said === '')
    return refuse('this is no row', "want two texts, such as ['user/{number}', 'PJSIP/{number}']")
  for (const name of unknownHoles([meant, said])) refuse(`{${name}} stands for nothing`, `one of the names of ${meant}`)
})

const place = z.strictObject({
  context: z.string().min(1).describe('Context of the dialplan.'),
  extension: z.string().min(1).default('s').describe('Extension; `{name}` is the name that was asked for. Default s.'),
  priority: z.int().min(1).default(1).describe('Default 1.'),
})

/** Names that we do not know may be known elsewhere; what is nearly one of ours is a slip. */
const codes = z.record(z.string(), z.int().min(400).max(699)).superRefine((given, ctx) => {
  for (const name of Object.keys(given)) {
    const near = CAUSE_NAMES.includes(name) ? undefined : nearest(name, CAUSE_NAMES)
    if (near === undefined) continue
    const params: CustomParams = { right: `did you mean ${near}?` }
    const message = `no hangup cause is called ${name}`
    ctx.addIssue({ code: 'custom', path: [name], message, params: { ...params } })
  }
})

const steering = z.strictObject({
  steering: z.literal('v1').describe('Version of this form.'),
  'dial-strings': z.array(row).describe('XCC dial strings, and the endpoints they are on Asterisk.'),
  media: z.array(row).describe('Names of media, and their media URIs.'),
  speech: z.string().default('').describe('Media URI of spoken text; empty: there is none.'),
  codes: codes.default({}).describe('Result codes by hangup cause.'),
  hooks: z
    .record(z.string(), z.record(z.string(), place))
    .default({})
    .describe('Places in the dialplan by kind and name.'),
})

/** Code of a call that failed with a cause nobody listed. */
const FAILED = 500

/** Reads and compiles a file of steering tables, or tells every fault: also that it cannot be read. */
export function loadSteering(
  path: string,
  read: (path: string) => string = (file) => readFileSync(file, 'utf8'),
): { readonly tables: SteeringTables } | { readonly faults: readonly Fault[] } {
  let text: string
  try {
    text = read(path)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason' // file system calls throw nothing else
    const what = `the file cannot be read (${reason})`
    return { faults: [{ file: path, line: 1, column: 1, code: 'config.file', what, right: 'name a readable file' }] }
  }
  const checked = checkYaml(readYaml(text, path), steering, 'config')
  return 'faults' in checked ? checked : { tables: compile(checked.data) }
}

const rowsOf = (rows: readonly string[][]) => rows.map(([meant = '', said = '']): PatternRow => [meant, said])

function compile(file: z.output<typeof steering>): SteeringTables {
  const { speech, codes, hooks } = file
  const fill = (text: string, values: Readonly<Record<string, string>>) =>
    text.replace(/\{([a-z]+)\}/g, (hole, name: string) => values[name] ?? hole)
  return {
    endpointOf: compilePatterns(rowsOf(file['dial-strings'])),
    mediaOf: compilePatterns(rowsOf(file.media)),
    speechOf(text, engine, voice) {
      if (speech === '') return undefined
      const encode = encodeURIComponent
      return fill(speech, { text: encode(text), engine: encode(engine), voice: encode(voice) })
    },
    causeNumber: (name) => (/^\d{1,3}$/.test(name) ? Number(name) : completeCause({ name })?.code),
    codeOf: (cause) => (Object.hasOwn(codes, cause) ? codes[cause]! : FAILED),
    placeOf(hook, name) {
      const places = Object.hasOwn(hooks, hook) ? hooks[hook]! : {}
      const found = Object.hasOwn(places, name) ? places[name] : places.default
      return found && { ...found, extension: fill(found.extension, { name }) }
    },
  }
}
