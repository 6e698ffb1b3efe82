import type { GatewayError } from '../../errors.js'
import { E, type Event, nextEvent, openDocument, type Parse } from './events.js'
import { fault } from './fault.js'
import { refuseControls } from './input.js'
import { type KeyIdentities, type KeyIndex, newKeyIdentities, newKeyIndex, putPair } from './key-index.js'
import type { ParseLimits } from './limits.js'
import {
  checkSequenceTag,
  classOfMapping,
  makesString,
  refuseTag,
  resolvedAt,
  type TagRules,
  taggedScalar,
  variableName,
} from './tags.js'
import { RubyMap, type RubyValue } from './values.js'

/** A document as read: its value, and whether an alias occurred, without which nothing can be shared. */
export interface Composed {
  readonly value: RubyValue
  readonly aliased: boolean
}

/** What the reader may spend and let in. */
export interface ReadRules {
  readonly classes: 'any' | ReadonlySet<string>
  readonly limits: ParseLimits
}

/** An open collection. A mapping waits for a key, then, with `hasKey`, for its value. */
interface Frame {
  readonly list: RubyValue[] | undefined
  readonly pairs: KeyIndex | undefined
  readonly at: number
  /** The tag that makes a String of this mapping: its value under `str`. */
  readonly stringTag: string | undefined
  key: RubyValue
  hasKey: boolean
  merges: boolean
}

interface Compose {
  readonly parse: Parse
  readonly tags: TagRules
  readonly limits: ParseLimits
  readonly anchors: Map<string, RubyValue>
  readonly frames: Frame[]
  readonly ids: KeyIdentities
  nodes: number
  aliases: number
}

/** The complete reader: all of YAML 1.1 as libyaml has it. Undefined for a stream without a document. */
export function composeDocument(text: string, rules: ReadRules): Composed | undefined {
  refuseControls(text)
  const parse = openDocument(text)
  if (parse === undefined) return undefined
  const c: Compose = {
    parse,
    tags: { text, classes: rules.classes, longDigits: 0 },
    limits: rules.limits,
    anchors: new Map(),
    frames: [],
    ids: newKeyIdentities(),
    nodes: 0,
    aliases: 0,
  }
  const value = readValues(c)
  nextEvent(parse) // the end of the document must be one
  return { value, aliased: c.aliases > 0 }
}

function readValues(c: Compose): RubyValue {
  for (;;) {
    const event = nextEvent(c.parse)
    let value: RubyValue
    if (event.kind === E.sequence || event.kind === E.mapping) {
      openFrame(c, event)
      continue
    }
    if (event.kind === E.end) value = closeFrame(c)
    else value = event.kind === E.alias ? aliased(c, event) : scalar(c, event)
    const frame = c.frames.at(-1)
    if (frame === undefined) return value
    addTo(c, frame, value, event)
  }
}

function limit(c: Compose, at: number, what: string): GatewayError {
  return fault('codec.limit', c.tags.text, at, what)
}

function spend(c: Compose, at: number): void {
  if (++c.nodes > c.limits.maxNodes) throw limit(c, at, `more than ${c.limits.maxNodes} values (maxNodes)`)
}

function scalar(c: Compose, event: Event): RubyValue {
  spend(c, event.at)
  let value: RubyValue
  if (event.asIs) value = event.text
  else if (event.tag === undefined) value = resolvedAt(c.tags, event.at, event.text)
  else value = taggedScalar(c.tags, event.at, event.tag, event.text)
  if (event.anchor !== undefined) c.anchors.set(event.anchor, value)
  return value
}

function aliased(c: Compose, event: Event): RubyValue {
  if (++c.aliases > c.limits.maxAliases)
    throw limit(c, event.at, `more than ${c.limits.maxAliases} aliases (maxAliases)`)
  const value = c.anchors.get(event.text)
  if (value === undefined) {
    throw fault('codec.malformed', c.tags.text, event.at, `nothing before this is anchored as &${event.text}`)
  }
  return value
}

function openFrame(c: Compose, event: Event): void {
  spend(c, event.at)
  if (c.frames.length >= c.limits.maxDepth)
    throw limit(c, event.at, `deeper than ${c.limits.maxDepth} levels (maxDepth)`)
  const frame: Frame = {
    list: event.kind === E.sequence ? openList(c, event) : undefined,
    pairs: event.kind === E.mapping ? openPairs(c, event) : undefined,
    at: event.at,
    stringTag: event.kind === E.mapping && event.tag !== undefined && makesString(event.tag) ? event.tag : undefined,
    key: null,
    hasKey: false,
    merges: false,
  }
  if (event.anchor !== undefined) c.anchors.set(event.anchor, collectionOf(frame))
  c.frames.push(frame)
}

function openList(c: Compose, event: Event): RubyValue[] {
  if (event.tag !== undefined) checkSequenceTag(c.tags, event.at, event.tag)
  return []
}

function openPairs(c: Compose, event: Event): KeyIndex {
  const className = event.tag === undefined ? undefined : classOfMapping(c.tags, event.at, event.tag)
  return newKeyIndex(new RubyMap(className), c.ids)
}

function collectionOf(frame: Frame): RubyValue {
  return frame.list ?? frame.pairs?.map ?? null
}

function closeFrame(c: Compose): RubyValue {
  const frame = c.frames.pop()!
  const map = frame.pairs?.map
  if (map?.className !== undefined) nameVariables(c, frame, map)
  if (map !== undefined && frame.stringTag !== undefined) return stringFrom(c, frame, map, frame.stringTag)
  return collectionOf(frame)
}

/** A String as Psych writes one that has instance variables, which a message may not have; nil without `str`. */
function stringFrom(c: Compose, frame: Frame, map: RubyMap, tag: string): RubyValue {
  if (map.keys.length === 0) return null
  const value = map.get('str')
  if (map.keys.length > 1 || typeof value !== 'string') throw refuseTag(c.tags, frame.at, tag)
  return value
}

/** An object's keys name its variables; several may come to the same name, such as `no` and `false`. */
function nameVariables(c: Compose, frame: Frame, map: RubyMap): void {
  const named = newKeyIndex(new RubyMap(undefined), c.ids)
  for (let i = 0; i < map.keys.length; i++) {
    const name = variableName(map.keys[i]!)
    if (name === undefined) {
      throw fault(
        'codec.value',
        c.tags.text,
        frame.at,
        `an object of ${map.className} has a key that can name no variable`,
      )
    }
    putPair(named, name, map.values[i]!)
  }
  map.keys = named.map.keys
  map.values = named.map.values
}

const STRING_TAG = 'tag:yaml.org,2002:str'

function addTo(c: Compose, frame: Frame, value: RubyValue, event: Event): void {
  if (frame.list !== undefined) frame.list.push(value)
  else if (!frame.hasKey) {
    frame.key = value
    frame.hasKey = true
    frame.merges = value === '<<' && event.tag !== STRING_TAG
  } else if (frame.pairs !== undefined) {
    frame.hasKey = false
    if (!frame.merges || !merge(c, frame.pairs, value, event)) put(c, frame.pairs, frame.key, value, event.at)
  }
}

function put(c: Compose, pairs: KeyIndex, key: RubyValue, value: RubyValue, at: number): void {
  if (!putPair(pairs, key, value)) throw limit(c, at, 'collections as keys are too large or too deep')
}

/**
 * The value of a key `<<`: a Hash written in place or an alias of one is merged, a list written
 * in place if it holds nothing but Hashes. False when the key is an ordinary one.
 */
function merge(c: Compose, into: KeyIndex, value: RubyValue, event: Event): boolean {
  if (value instanceof RubyMap && value.className === undefined) {
    mergePairs(c, into, value, event.at)
    return true
  }
  if (!Array.isArray(value) || event.kind === E.alias) return false
  const merged = newKeyIndex(new RubyMap(undefined), c.ids)
  for (let i = value.length - 1; i >= 0; i--) {
    const source = value[i]
    if (!(source instanceof RubyMap) || source.className !== undefined) return false
    mergePairs(c, merged, source, event.at)
  }
  mergePairs(c, into, merged.map, event.at)
  return true
}

function mergePairs(c: Compose, into: KeyIndex, source: RubyMap, at: number): void {
  const count = source.keys.length
  for (let i = 0; i < count; i++) {
    spend(c, at)
    put(c, into, source.keys[i]!, source.values[i]!, at)
  }
}
