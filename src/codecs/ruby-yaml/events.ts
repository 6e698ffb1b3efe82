import { MAX_TAG_LENGTH, tagTooLong } from './scan-properties.js'
import { malformed, newScan, type Scan, T, type Token, type TokenKind } from './scan-state.js'
import { peekToken, takeToken } from './scanner.js'

/** Kinds of events, and what a document is made of. */
export const E = { scalar: 0, alias: 1, sequence: 2, mapping: 3, end: 4, documentEnd: 5 } as const

export type EventKind = (typeof E)[keyof typeof E]

/**
 * One event, valid until the next is asked for. `text` is a scalar's text or an alias's name. `tag` is expanded; undefined
 * without one. `asIs` is true for a scalar in quotes or block style without a tag.
 */
export interface Event {
  kind: EventKind
  at: number
  text: string
  tag: string | undefined
  anchor: string | undefined
  asIs: boolean
}

type State = (p: Parse) => Event

/** Where the grammar stands: the state of the next event and the states to come back to. */
export interface Parse {
  readonly scan: Scan
  state: State
  readonly states: State[]
  readonly handles: Map<string, string>
  readonly event: Event
}

/** Begins the first document of a stream; undefined when the stream has none. */
export function openDocument(text: string): Parse | undefined {
  const scan = newScan(text)
  const event: Event = { kind: E.scalar, at: 0, text: '', tag: undefined, anchor: undefined, asIs: false }
  const p: Parse = { scan, state: blockNode, states: [documentEnd], handles: new Map(), event }
  if (peekToken(scan).kind === T.streamEnd) return undefined
  const directives = readDirectives(p)
  const next = peekToken(scan)
  if (next.kind === T.documentStart) {
    takeToken(scan)
    p.state = documentContent
  } else if (directives > 0) throw malformed(scan, next.at, '"---" belongs between directives and document')
  if (!p.handles.has('!')) p.handles.set('!', '!')
  if (!p.handles.has('!!')) p.handles.set('!!', 'tag:yaml.org,2002:')
  return p
}

export function nextEvent(p: Parse): Event {
  return p.state(p)
}

function readDirectives(p: Parse): number {
  let versions = 0
  for (let count = 0; ; count++) {
    const found = peekToken(p.scan)
    if (found.kind === T.versionDirective) {
      if (versions++ > 0) throw malformed(p.scan, found.at, 'a document has one %YAML directive')
      if (found.text !== '1.1' && found.text !== '1.2') throw malformed(p.scan, found.at, 'YAML is read up to 1.2')
    } else if (found.kind === T.tagDirective) {
      if (p.handles.has(found.handle)) throw malformed(p.scan, found.at, `%TAG ${found.handle} is there already`)
      p.handles.set(found.handle, found.text)
    } else return count
    takeToken(p.scan)
  }
}

function say(p: Parse, kind: EventKind, at: number, text = '', tag?: string, anchor?: string, asIs = false): Event {
  const { event } = p
  event.kind = kind
  event.at = at
  event.text = text
  event.tag = tag
  event.anchor = anchor
  event.asIs = asIs
  return event
}

function leave(p: Parse): void {
  p.state = p.states.pop()!
}

/** Reads a node now and comes back to `then` after it. */
function nodeThen(p: Parse, then: State, inBlock: boolean, underKey: boolean): Event {
  p.states.push(then)
  return readNode(p, inBlock, underKey)
}

function emptyThen(p: Parse, then: State, at: number): Event {
  p.state = then
  return say(p, E.scalar, at)
}

/** Ends a collection with the token at hand. */
function endCollection(p: Parse): Event {
  const { at } = takeToken(p.scan)
  leave(p)
  return say(p, E.end, at)
}

const blockNode: State = (p) => readNode(p, true, false)

const documentContent: State = (p) => {
  const next = peekToken(p.scan)
  if (next.kind > T.documentEnd) return readNode(p, true, false)
  leave(p)
  return say(p, E.scalar, next.at)
}

const documentEnd: State = (p) => say(p, E.documentEnd, peekToken(p.scan).at)

function expandTag(p: Parse, tag: Token): string {
  const prefix = tag.handle === '' ? '' : p.handles.get(tag.handle)
  if (prefix === undefined) throw malformed(p.scan, tag.at, `no %TAG directive declares ${tag.handle}`)
  if (prefix.length + tag.text.length <= MAX_TAG_LENGTH) return prefix + tag.text
  throw tagTooLong(p.scan, tag.at)
}

function readNode(p: Parse, inBlock: boolean, underKey: boolean): Event {
  let next = peekToken(p.scan)
  const { at } = next
  if (next.kind === T.alias) {
    leave(p)
    return say(p, E.alias, at, takeToken(p.scan).text)
  }
  let anchor: string | undefined
  let tag: string | undefined
  for (;;) {
    if (next.kind === T.anchor && anchor === undefined) anchor = takeToken(p.scan).text
    else if (next.kind === T.tag && tag === undefined) tag = expandTag(p, takeToken(p.scan))
    else break
    next = peekToken(p.scan)
  }
  if (next.kind === T.scalar) return scalarEvent(p, takeToken(p.scan), at, tag, anchor)
  const first = collectionState(next.kind, inBlock, underKey)
  if (first !== undefined) {
    if (next.kind !== T.entry) takeToken(p.scan)
    p.state = first
    const isMapping = next.kind === T.blockMappingStart || next.kind === T.flowMappingStart
    return say(p, isMapping ? E.mapping : E.sequence, at, '', tag, anchor)
  }
  if (tag === undefined && anchor === undefined) throw malformed(p.scan, next.at, 'a value is missing here')
  leave(p)
  return say(p, E.scalar, at, '', tag, anchor)
}

function scalarEvent(p: Parse, found: Token, at: number, tag: string | undefined, anchor: string | undefined): Event {
  leave(p)
  if (tag === '!') return say(p, E.scalar, at, found.text, undefined, anchor)
  return say(p, E.scalar, at, found.text, tag, anchor, tag === undefined && !found.plain)
}

function collectionState(kind: TokenKind, inBlock: boolean, underKey: boolean): State | undefined {
  if (kind === T.entry) return underKey ? listUnderKey : undefined
  if (kind === T.flowSequenceStart) return flowSequenceItem
  if (kind === T.flowMappingStart) return flowMappingPair
  if (kind === T.blockSequenceStart && inBlock) return blockSequence
  if (kind === T.blockMappingStart && inBlock) return blockMappingKey
  return undefined
}

const blockSequence: State = (p) => {
  const found = peekToken(p.scan)
  if (found.kind === T.blockEnd) return endCollection(p)
  if (found.kind !== T.entry) throw malformed(p.scan, found.at, 'the list goes on with "- " or ends by its indentation')
  takeToken(p.scan)
  const next = peekToken(p.scan)
  if (next.kind === T.entry || next.kind === T.blockEnd) return emptyThen(p, blockSequence, next.at)
  return nodeThen(p, blockSequence, true, false)
}

const listUnderKey: State = (p) => {
  const found = peekToken(p.scan)
  if (found.kind !== T.entry) {
    leave(p)
    return say(p, E.end, found.at)
  }
  takeToken(p.scan)
  const { kind, at } = peekToken(p.scan)
  const empty = kind === T.entry || kind === T.key || kind === T.value || kind === T.blockEnd
  return empty ? emptyThen(p, listUnderKey, at) : nodeThen(p, listUnderKey, true, false)
}

const blockMappingKey: State = (p) => {
  const found = peekToken(p.scan)
  if (found.kind === T.blockEnd) return endCollection(p)
  if (found.kind !== T.key) throw malformed(p.scan, found.at, 'a key belongs here; check the indentation')
  takeToken(p.scan)
  return blockMappingPart(p, blockMappingValue)
}

const blockMappingValue: State = (p) => {
  const found = peekToken(p.scan)
  if (found.kind !== T.value) return emptyThen(p, blockMappingKey, found.at)
  takeToken(p.scan)
  return blockMappingPart(p, blockMappingKey)
}

function blockMappingPart(p: Parse, then: State): Event {
  const { kind, at } = peekToken(p.scan)
  if (kind === T.key || kind === T.value || kind === T.blockEnd) return emptyThen(p, then, at)
  return nodeThen(p, then, true, true)
}

const flowSequenceNext: State = (p) => {
  const found = peekToken(p.scan)
  if (found.kind === T.flowEntry) takeToken(p.scan)
  else if (found.kind !== T.flowSequenceEnd)
    throw malformed(p.scan, found.at, 'the list goes on with "," or ends with "]"')
  return flowSequenceItem(p)
}

function flowSequenceItem(p: Parse): Event {
  const found = peekToken(p.scan)
  if (found.kind === T.flowSequenceEnd) return endCollection(p)
  if (found.kind !== T.key) return nodeThen(p, flowSequenceNext, false, false)
  takeToken(p.scan)
  p.state = flowPairKey
  return say(p, E.mapping, found.at)
}

/** libyaml drops the token behind an empty key of a pair, which makes `[? : a]` an error. */
const flowPairKey: State = (p) => {
  const { kind, at } = peekToken(p.scan)
  if (kind !== T.value && kind !== T.flowEntry && kind !== T.flowSequenceEnd) {
    return nodeThen(p, flowPairValue, false, false)
  }
  takeToken(p.scan)
  return emptyThen(p, flowPairValue, at)
}

const flowPairValue: State = (p) => {
  const found = peekToken(p.scan)
  if (found.kind === T.value) {
    takeToken(p.scan)
    const next = peekToken(p.scan)
    if (next.kind !== T.flowEntry && next.kind !== T.flowSequenceEnd) return nodeThen(p, flowPairEnd, false, false)
  }
  return emptyThen(p, flowPairEnd, found.at)
}

const flowPairEnd: State = (p) => {
  p.state = flowSequenceNext
  return say(p, E.end, peekToken(p.scan).at)
}

const flowMappingNext: State = (p) => {
  const found = peekToken(p.scan)
  if (found.kind === T.flowEntry) takeToken(p.scan)
  else if (found.kind !== T.flowMappingEnd)
    throw malformed(p.scan, found.at, 'the mapping goes on with "," or ends with "}"')
  return flowMappingPair(p)
}

function flowMappingPair(p: Parse): Event {
  const found = peekToken(p.scan)
  if (found.kind === T.flowMappingEnd) return endCollection(p)
  if (found.kind !== T.key) return nodeThen(p, flowMappingNoValue, false, false)
  takeToken(p.scan)
  const { kind, at } = peekToken(p.scan)
  const empty = kind === T.value || kind === T.flowEntry || kind === T.flowMappingEnd
  return empty ? emptyThen(p, flowMappingValue, at) : nodeThen(p, flowMappingValue, false, false)
}

const flowMappingNoValue: State = (p) => emptyThen(p, flowMappingNext, peekToken(p.scan).at)

const flowMappingValue: State = (p) => {
  const found = peekToken(p.scan)
  if (found.kind === T.value) {
    takeToken(p.scan)
    const next = peekToken(p.scan)
    if (next.kind !== T.flowEntry && next.kind !== T.flowMappingEnd) return nodeThen(p, flowMappingNext, false, false)
  }
  return emptyThen(p, flowMappingNext, found.at)
}
