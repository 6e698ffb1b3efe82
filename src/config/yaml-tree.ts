import {
  boolCoreTag,
  EVENT_ID,
  type Event,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  SCALAR_STYLE,
  type ScalarEvent,
} from 'js-yaml'
import type { FaultCode } from './fault.js'

/** A node with its value and where it begins, as an offset into the text. */
export interface YamlNode {
  readonly offset: number
  readonly value: unknown
  readonly entries?: ReadonlyMap<string, YamlEntry>
  readonly items?: readonly YamlNode[]
}

/** A pair of a mapping. */
export interface YamlEntry {
  readonly keyOffset: number
  readonly node: YamlNode
}

/** Takes a fault at an offset of the text. */
export type Report = (offset: number, code: FaultCode, what: string, right: string) => void

type NodeEvent = Extract<Event, { readonly tagStart: number }>
type Collection = { readonly node: YamlNode; readonly size: number }

/**
 * Builds the tree of the first document from parser events. Goes on after every fault; the
 * first of two equal keys stays. Undefined when the text holds no node.
 */
export function buildTree(
  text: string,
  events: readonly Event[],
  maxNodes: number,
  report: Report,
): YamlNode | undefined {
  const anchors = new Map<string, Collection>()
  const open = new Set<string>()
  let next = 0
  let nodes = 0
  let isOverfull = false

  function read(fallback: number): Collection {
    const event = events[next++] as Event
    if (event.type === EVENT_ID.ALIAS) return readAlias(event.anchorStart, event.anchorEnd)
    if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) throw new Error('event stream out of step')
    const name = event.anchorStart < 0 ? undefined : text.slice(event.anchorStart, event.anchorEnd)
    if (name !== undefined) open.add(name)
    const made = readNode(event, fallback)
    charge(1, made.node.offset)
    if (name !== undefined) {
      open.delete(name)
      anchors.set(name, made)
    }
    return made
  }

  function readNode(event: NodeEvent, fallback: number): Collection {
    if (event.type === EVENT_ID.SCALAR) return { node: readScalar(event, fallback), size: 1 }
    checkTag(event, event.type === EVENT_ID.MAPPING ? 'map' : 'seq')
    return event.type === EVENT_ID.MAPPING ? readMapping(event.start) : readSequence(event.start)
  }

  function charge(count: number, offset: number): void {
    nodes += count
    if (nodes <= maxNodes || isOverfull) return
    isOverfull = true
    report(offset, 'yaml.limit', `the file has more than ${maxNodes} nodes`, 'split it, or use fewer aliases')
  }

  function readAlias(start: number, end: number): Collection {
    const name = text.slice(start, end)
    const target = anchors.get(name)
    const offset = start - 1
    if (target !== undefined) {
      charge(target.size, offset)
      return isOverfull ? nothing(offset) : { node: { ...target.node, offset }, size: target.size }
    }
    if (open.has(name)) report(offset, 'yaml.alias', `\`*${name}\` stands inside its own anchor`, 'write the value out')
    else {
      const right = `put \`&${name}\` before the value it should repeat, or quote the text if it only begins with a star`
      report(offset, 'yaml.alias', `no anchor \`&${name}\` stands before this`, right)
    }
    return nothing(offset)
  }

  function readSequence(offset: number): Collection {
    const items: YamlNode[] = []
    let size = 1
    while (events[next]?.type !== EVENT_ID.POP) {
      const item = read(offset)
      items.push(item.node)
      size += item.size
    }
    next++
    return { node: { offset, value: items.map((item) => item.value), items }, size }
  }

  function readMapping(offset: number): Collection {
    const value: Record<string, unknown> = Object.create(null)
    const entries = new Map<string, YamlEntry>()
    let size = 1
    while (events[next]?.type !== EVENT_ID.POP) {
      const key = readKey(offset)
      const item = read(key.offset)
      size += item.size
      if (key.text === undefined) continue
      if (entries.has(key.text)) {
        report(key.offset, 'yaml.duplicate-key', `\`${key.text}\` stands twice here`, 'keep one of the two')
        continue
      }
      entries.set(key.text, { keyOffset: key.offset, node: item.node })
      value[key.text] = item.node.value
    }
    next++
    return { node: { offset, value, entries }, size }
  }

  function readKey(fallback: number): { readonly offset: number; readonly text: string | undefined } {
    const event = events[next] as Event
    const { offset, value } = read(fallback).node
    if (event.type === EVENT_ID.SCALAR && event.valueStart >= 0) {
      const key = getScalarValue(text, event)
      if (key !== '<<' || event.style !== SCALAR_STYLE.PLAIN) return { offset, text: key }
      report(offset, 'yaml.key', 'merge keys are not read', 'write the entries out')
    } else if (event.type === EVENT_ID.ALIAS && typeof value === 'string') return { offset, text: value }
    else report(offset, 'yaml.key', 'a key must be text', 'write a word, or put the key in quotes')
    return { offset, text: undefined }
  }

  function readScalar(event: ScalarEvent, fallback: number): YamlNode {
    const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK
    const offset = isBlock ? blockHeader(text, event.valueStart) : startOf(event, fallback)
    const source = event.valueStart < 0 ? '' : getScalarValue(text, event)
    const tag = checkTag(event, 'str', 'int', 'float', 'bool', 'null')
    if (tag === 'str' || (tag === undefined && event.style !== SCALAR_STYLE.PLAIN)) return { offset, value: source }
    const value = resolve(source)
    if (typeof value === 'number' && !isFaithful(value)) {
      report(offset, 'yaml.number', `${source} has more digits than a number keeps`, 'put it in quotes')
    }
    if (tag !== undefined && tag !== typeName(value) && !(tag === 'float' && typeof value === 'number')) {
      report(offset, 'yaml.tag', `\`${source}\` is not a value of the tag !!${tag}`, 'leave the tag out')
    }
    return { offset, value }
  }

  /** The core tag's short name, undefined without a tag; any other tag is a fault. */
  function checkTag(event: NodeEvent, ...allowed: string[]): string | undefined {
    if (event.tagStart < 0) return undefined
    const tag = text.slice(event.tagStart, event.tagEnd)
    if (tag === '!') return allowed[0]
    const name = tag.startsWith('!!') ? tag.slice(2) : /^!<tag:yaml\.org,2002:(.*)>$/.exec(tag)?.[1]
    if (name !== undefined && allowed.includes(name)) return name
    report(event.tagStart, 'yaml.tag', `the tag ${tag} is not read here`, 'leave it out')
    return undefined
  }

  if (events.length === 0) return undefined
  next = 1
  const root = read(0).node
  if (events.length > next + 1) {
    const at = events.slice(next + 1).find((event) => event.type !== EVENT_ID.DOCUMENT)
    const offset = at === undefined ? 0 : startOf(at, text.search(/^(---|\.\.\.)(\s|$)/m))
    report(Math.max(offset, 0), 'yaml.documents', 'a second document begins here', 'keep one document in a file')
  }
  return root
}

const nothing = (offset: number): Collection => ({ node: { offset, value: null }, size: 1 })

function startOf(event: Event, fallback: number): number {
  if (event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT) return fallback
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart - 1
  if (event.type !== EVENT_ID.SCALAR) return event.start
  const candidates = [event.tagStart, event.anchorStart - 1, event.valueStart].filter((offset) => offset >= 0)
  if (candidates.length === 0) return fallback
  const first = Math.min(...candidates)
  const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED
  return first === event.valueStart && isQuoted ? first - 1 : first
}

/** Where the `|` or `>` of a block scalar stands, given where its content begins. */
function blockHeader(text: string, content: number): number {
  const end = text[content - 1] === '\n' ? content - 1 : content
  const start = text.lastIndexOf('\n', end - 1) + 1
  const found = /[|>][-+\d]*\s*(#.*)?$/.exec(text.slice(start, end))
  return found === null ? content : start + found.index
}

/** YAML 1.2 core: null, bool, int, float, else the text itself. */
function resolve(source: string): unknown {
  for (const tag of [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag]) {
    const value: unknown = tag.resolve(source, false, tag.tagName)
    if (value !== NOT_RESOLVED) return value
  }
  return source
}

const isFaithful = (value: number) => !Number.isInteger(value) || Number.isSafeInteger(value)

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  return 'str'
}
