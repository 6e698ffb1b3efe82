import { readFileSync } from 'node:fs'
import { importBuilt } from './built.js'
import { JS_YAML } from './js-yaml.js'
import { obviousScript } from './obvious-script.js'

type RubyYaml = typeof import('../../src/codecs/ruby-yaml/index.js')
type Dialects = typeof import('../../src/gateway/dialects.js')
type Dialect = import('../../src/mapping/dialect.js').Dialect

/** One operation; what it answers keeps the compiler from leaving it out. */
export type Operation = () => unknown

const DOCUMENT = 'test/fixtures/voice-events/seed-channel-call-state.yaml'
const CLASSES = new Set(['Channel_states'])

const body = readFileSync(DOCUMENT)
const text = body.toString()

async function ourParse(): Promise<Operation> {
  const { parse } = await importBuilt<RubyYaml>('codecs/ruby-yaml/index.js')
  const options = { classes: CLASSES }
  return () => parse(body, options)
}

async function ourStringify(): Promise<Operation> {
  const { parse, stringify } = await importBuilt<RubyYaml>('codecs/ruby-yaml/index.js')
  const value = parse(body, { classes: CLASSES })
  return () => stringify(value)
}

async function shippedPair(from: string, to: string): Promise<{ source: Dialect; target: Dialect }> {
  const { openDialects } = await importBuilt<Dialects>('gateway/dialects.js')
  const opened = openDialects([`mappings/${from}.yaml`, `mappings/${to}.yaml`])
  if ('faults' in opened) throw new Error(`the shipped mappings are faulty: ${JSON.stringify(opened.faults)}`)
  const source = opened.dialects.get(from)
  const target = opened.dialects.get(to)
  if (source === undefined || target === undefined) throw new Error('a shipped mapping is missing')
  return { source, target }
}

async function ourTranslation(): Promise<Operation> {
  const { source, target } = await shippedPair('voice-events', 'xcc')
  const address = { exchange: 'voice_events', key: 'channel.call_state' }
  return () => {
    const { facts } = source.decode(address, body)
    return facts.flatMap((fact) => target.encode({ facts: [fact] }).messages.map((message) => message.body))
  }
}

/** Events of an Asterisk that yield something in XCC, each with what opens it. */
const EVENTS = 'test/fixtures/ari-call/call.jsonl'

async function ourStasis(): Promise<Operation> {
  const { source, target } = await shippedPair('stasis', 'xcc')
  const bodies = linesOf(EVENTS).filter((each) => saidInXcc(source, target, each).length > 0)
  let next = 0
  return () => {
    next = (next + 1) % bodies.length
    return saidInXcc(source, target, bodies[next]!)
  }
}

/** What any program that reads JSON and writes JSON does at least, for the same events. */
async function plainJson(): Promise<Operation> {
  const { source, target } = await shippedPair('stasis', 'xcc')
  const bodies = linesOf(EVENTS).filter((each) => saidInXcc(source, target, each).length > 0)
  let next = 0
  return () => {
    next = (next + 1) % bodies.length
    return Buffer.from(JSON.stringify(JSON.parse(bodies[next]!.toString())))
  }
}

function linesOf(file: string): Buffer[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Buffer.from(line))
}

const NODE = { node: 'ast1' }

function saidInXcc(source: Dialect, target: Dialect, body: Buffer): Uint8Array[] {
  const { facts } = source.decode(NODE, body)
  return target.encode({ facts }).messages.map((message) => message.body)
}

type Versions = keyof typeof JS_YAML

const load = (version: Versions) => () => {
  const yaml = JS_YAML[version]()
  return () => yaml.load(body.toString())
}

const dump = (version: Versions) => () => {
  const yaml = JS_YAML[version]()
  const value = yaml.load(text)
  return () => yaml.dump(value)
}

const script = (version: Versions) => () => {
  const translate = obviousScript(JS_YAML[version]())
  return () => translate(body)
}

/** Benches by name; of each, what is measured by name: ours and the yardsticks. */
export const SUBJECTS: Readonly<Record<string, Readonly<Record<string, () => Operation | Promise<Operation>>>>> = {
  'ruby-yaml.parse': { patchbay: ourParse, 'js-yaml-4': load('js-yaml-4'), 'js-yaml-5': load('js-yaml-5') },
  'ruby-yaml.stringify': { patchbay: ourStringify, 'js-yaml-4': dump('js-yaml-4'), 'js-yaml-5': dump('js-yaml-5') },
  'voice-events-to-xcc': {
    patchbay: ourTranslation,
    'js-yaml-4': script('js-yaml-4'),
    'js-yaml-5': script('js-yaml-5'),
  },
  'stasis-to-xcc': { patchbay: ourStasis, 'JSON.parse and JSON.stringify': plainJson },
}
