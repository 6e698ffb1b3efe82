/** Messages as lines to read: in the words of their wire, and only what is new. */

/** One thing that a message tells of. */
export interface Element {
  /** What it is, before its lines. */
  readonly title: string
  /** Whose news it is; elements of one subject follow each other. */
  readonly about: string
  readonly lines: readonly Line[]
}

/** `name` decides whether a line is the same as one before. */
export interface Line {
  readonly name: string
  readonly text: string
  /** Worth a look although it may be the same. */
  readonly strong: boolean
  /** It is for the way back alone. */
  readonly ridesAlong?: boolean
  /** It says that there is nothing to say. */
  readonly isEmpty?: boolean
}

/** Names of what a dialect has no word for begin so. */
const CARRIED = 'patchbay_'

/** Names whose lines are always shown. */
const STRONG = new Set(['state', 'method', 'code', 'message', 'serial'])

/** The elements of a body; never fails, for anything may have come. */
export function elementsOf(body: Uint8Array): readonly Element[] {
  const text = new TextDecoder().decode(body)
  if (text.startsWith('---')) return yamlElements(text.trimEnd().split('\n'))
  return jsonElements(text) ?? [{ title: '', about: text, lines: [strongLine(text)] }]
}

const strongLine = (text: string): Line => ({ name: text, text, strong: true })

/** A document as Psych writes it: the elements of `evts` one by one, anything else as it stands. */
function yamlElements(lines: readonly string[]): readonly Element[] {
  const first = lines.indexOf('evts:') + 1
  if (first === 0) return [{ title: '', about: lines.join('\n'), lines: lines.map(strongLine) }]
  const starts = lines.flatMap((line, at) => (at >= first && line.startsWith('- ') ? [at] : []))
  const title = lines[0]!.replace(/^--- /, '')
  const head = lines.slice(1, first - 1).map((line) => yamlLine(`  ${line}`))
  return starts.map((start, at) => {
    const own = lines.slice(start, starts[at + 1])
    const about = own.find((line) => line.includes('uuid: ')) ?? title
    const place = `event ${at + 1} of ${starts.length}`
    return {
      title: at > 0 ? place : starts.length > 1 ? `${title}, ${place}` : title,
      about: `yaml ${about.slice(2)}`,
      lines: [...(at === 0 ? head : []), ...own.map(yamlLine)],
    }
  })
}

function yamlLine(line: string): Line {
  const text = line.slice(2)
  const name = /^[^:]*/.exec(text)![0]
  return { name, text, strong: STRONG.has(name) }
}

type Json = Readonly<Record<string, unknown>>

function jsonElements(text: string): readonly Element[] | undefined {
  let message: Json
  try {
    message = JSON.parse(text) as Json // any JSON object will do, as everything below looks before it takes
  } catch {
    return undefined
  }
  const { type, ...event } = message
  if (typeof type === 'string') return [ariElement(type, event)]
  const { method, params, result, error } = message
  const content = [params, result, error].find(isObject) ?? {}
  const title = typeof method === 'string' ? method : result === undefined ? 'error' : 'result'
  const about = `${title === 'Event.Channel' ? 'json' : title} ${String(content.uuid ?? text)}`
  return [{ title, about, lines: Object.entries(content).flatMap(([name, value]) => jsonLines(name, value, '')) }]
}

/** What an event is about comes first among its members, as far as Asterisk's words tell. */
function ariElement(type: string, event: Json): Element {
  const subject = [event.channel, event.peer, event.endpoint, event.bridge].find(isObject) ?? {}
  const about = `ari ${String(subject.id ?? subject.resource ?? type)}`
  return { title: type, about, lines: Object.entries(event).flatMap(([name, value]) => jsonLines(name, value, '')) }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function jsonLines(name: string, value: unknown, path: string): Line[] {
  const full = path === '' ? name : `${path}.${name}`
  if (isObject(value)) return Object.entries(value).flatMap(([each, inner]) => jsonLines(each, inner, full))
  const ridesAlong = name.startsWith(CARRIED)
  const isEmpty = value === '' || (Array.isArray(value) && value.length === 0)
  return [{ name: full, text: `${full}: ${JSON.stringify(value)}`, strong: STRONG.has(name), ridesAlong, isEmpty }]
}

/** It is another one each time, which is no news. */
const TIMESTAMP = 'timestamp'
/** Lines that tell whom a message is about. */
export const NAMES: ReadonlySet<string> = new Set(['uuid', 'channel.id'])

/** What was shown so far. */
export interface Memory {
  /** The lines of an element that were not shown of the same subject before; after another subject also whom it is about. */
  news(element: Element): readonly Line[]
}

/** Makes a memory of nothing. */
export function makeMemory(): Memory {
  const shown = new Map<string, Map<string, string>>()
  const last = new Map<string, string>()
  return {
    news({ about, lines }) {
      const known = shown.get(about) ?? new Map<string, string>()
      shown.set(about, known)
      const [wire = ''] = about.split(' ', 1)
      const isOther = last.get(wire) !== about
      last.set(wire, about)
      return lines.filter(({ name, text, strong, isEmpty = false }) => {
        const isOld = known.get(name) === text || (known.has(name) ? name === TIMESTAMP : isEmpty)
        known.set(name, text)
        return strong || !isOld || (isOther && NAMES.has(name))
      })
    },
  }
}

/** A body as it is, in lines; JSON laid out. */
export function wholeBody(body: Uint8Array): readonly string[] {
  const text = new TextDecoder().decode(body)
  try {
    return JSON.stringify(JSON.parse(text), null, 2).split('\n')
  } catch {
    return text.trimEnd().split('\n')
  }
}
