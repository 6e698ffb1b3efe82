import { Buffer } from 'node:buffer'
import { GatewayError } from '../../errors.js'
import { anchorNames } from './aliases.js'
import { onStack } from './limits.js'
import {
  integerText,
  keyText,
  MAX_SIMPLE_KEY_BYTES,
  scalarOf,
  scalarText,
  stringText,
  variableScalar,
  type Writer,
} from './scalar-text.js'
import type { WriterProfile } from './string-style.js'
import { isVariableName } from './tags.js'
import { RubyMap, type RubyValue } from './values.js'
import { newLine, pad } from './write-scalar.js'

export type { WriterProfile } from './string-style.js'

/** How a value is written. */
export interface StringifyOptions {
  /**
   * `psych-4`: the bytes of Psych 4.0.3; `psych-2.0`: those of Psych 2.0.0 on libyaml 0.1.4;
   * `compatible` (default): those of Psych 4, but quoted where either reader would not see a string.
   */
  readonly profile?: WriterProfile
}

/** A writer that also knows which values are anchored, and which of them it has written. */
interface NodeWriter extends Writer {
  readonly names: Map<object, number> | undefined
  readonly written: Set<object> | undefined
  readonly recent: RecentByColumn
}

/**
 * The keys of the mapping written last at a column, and how they stand there: line break,
 * margin, key, colon and space. Messages repeat their keys.
 */
interface RecentKeys {
  keys: string[]
  leads: string[]
}

/** Keys of Hashes and of objects apart: what is quoted as the one is plain as the other. */
interface RecentByColumn {
  readonly hashes: RecentKeys[]
  readonly objects: RecentKeys[]
}

interface ProfileMemory {
  readonly known: Map<string, string>
  readonly recent: RecentByColumn
}

/** Columns for which keys are remembered, and the length of keys that are. */
const MAX_RECENT_COLUMN = 16
const MAX_RECENT_LENGTH = 12

function newMemory(): ProfileMemory {
  const forColumns = () => Array.from({ length: MAX_RECENT_COLUMN + 1 }, () => ({ keys: [], leads: [] }))
  return { known: new Map(), recent: { hashes: forColumns(), objects: forColumns() } }
}

const MEMORIES: Readonly<Record<WriterProfile, ProfileMemory>> = {
  'psych-4': newMemory(),
  'psych-2.0': newMemory(),
  compatible: newMemory(),
}

/** Where a node stands: behind `---`, `- `, `key:`, or the `?` and `:` of a pair whose key is not simple. */
type Position = 'root' | 'item' | 'value' | 'explicit'

/**
 * Writes a value as one YAML document, the way Psych does.
 *
 * Errors  codec.value for what Psych refuses to write (a string its resolver raises on, a class name or
 *         variable name that is none, a number that is no integer), codec.limit for nesting too deep.
 */
export function stringify(value: RubyValue, options: StringifyOptions = {}): string {
  return onStack('writing YAML', () => writeDocument(value, options.profile ?? 'compatible'))
}

function writeDocument(value: RubyValue, profile: WriterProfile): string {
  const legacy = profile === 'psych-2.0'
  const { known, recent } = MEMORIES[profile]
  const names = anchorNames(value, !legacy)
  const written = names === undefined ? undefined : new Set<object>()
  const w: NodeWriter = { profile, legacy, known, recent, names, written, out: '---', fresh: false, open: false }
  writeNode(w, value, 'root', 0, 4)
  if (!w.fresh) w.out += '\n'
  return w.open && !legacy ? `${w.out}...\n` : w.out
}

/** The beginning of a line, with its margin. */
function lineAt(w: NodeWriter, column: number): string {
  if (!w.fresh) return newLine(column)
  w.fresh = false
  return pad(column)
}

/** Writes what follows an indicator. `at` is the parent's column, `column` the one a scalar would begin at. */
function writeNode(w: NodeWriter, value: RubyValue, position: Position, at: number, column: number): void {
  if (typeof value === 'string') {
    w.out += ` ${stringText(w, value, column, position === 'root' ? 2 : at + 2)}`
    if (position === 'root' && w.legacy) endLegacyRoot(w, 3)
  } else if (Array.isArray(value)) writeCollection(w, value, value.length === 0, position, at)
  else if (value instanceof RubyMap) writeCollection(w, value, value.keys.length === 0, position, at)
  else writeOther(w, value, position, at, column)
}

/** Scalars that are no Strings. */
function writeOther(w: NodeWriter, value: RubyValue, position: Position, at: number, column: number): void {
  const props = propertiesOf(w, value)
  if (props.startsWith('*')) {
    w.out += ` ${props}`
    return
  }
  const text = scalarText(w, scalarOf(w, value), props, column, position === 'root' ? 2 : at + 2)
  if (text.endsWith(' ') && !w.legacy) w.out += ` ${text.trimEnd()}`
  else w.out += text === '' && !w.legacy ? '' : ` ${text}`
  if (position === 'root' && w.legacy) endLegacyRoot(w, 3)
}

/** libyaml 0.1.4 marks the end of a document that is a plain scalar. */
function endLegacyRoot(w: NodeWriter, from: number): void {
  const first = w.out.charAt(from + 1)
  if (first !== "'" && first !== '"' && first !== '|' && first !== '!' && !w.fresh) w.out += '\n...'
}

/** `*1`, or `&1 ` where the value is anchored, or nothing. */
function propertiesOf(w: NodeWriter, value: RubyValue): string {
  if (w.names === undefined || typeof value !== 'object' || value === null) return ''
  const name = w.names.get(value)
  if (name === undefined) return ''
  if (w.written?.has(value) === true) return `*${name}`
  w.written?.add(value)
  return `&${name} `
}

const UNESCAPED_IN_TAG = /[^0-9A-Za-z\-_;/?:@&=+$,.~*'()[\]]/g
const CLASS_NAME = /^[A-Z\u0080-\uffff][\w\u0080-\uffff]*(?:::[A-Z\u0080-\uffff][\w\u0080-\uffff]*)*$/

/** The tag of a map, with the space behind it; nothing for a Hash. */
function tagOf(value: RubyValue[] | RubyMap): string {
  if (Array.isArray(value) || value.className === undefined) return ''
  const { className } = value
  if (className === 'Object') return '!ruby/object '
  if (!CLASS_NAME.test(className)) {
    throw new GatewayError('codec.value', `${JSON.stringify(className)} is no name of a Ruby class`)
  }
  const escaped = className.replace(UNESCAPED_IN_TAG, (character) =>
    Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
  return `!ruby/object:${escaped} `
}

function writeCollection(
  w: NodeWriter,
  value: RubyValue[] | RubyMap,
  empty: boolean,
  position: Position,
  at: number,
): void {
  const props = propertiesOf(w, value)
  if (props.startsWith('*')) {
    w.out += ` ${props}`
    return
  }
  const prefix = props + tagOf(value)
  const inline = prefix === '' && (position === 'item' || position === 'explicit')
  if (empty) w.out += ` ${prefix}${Array.isArray(value) ? '[]' : '{}'}`
  else {
    if (prefix !== '') w.out += ` ${prefix.slice(0, -1)}`
    if (Array.isArray(value)) writeItems(w, value, columnOfItems(position, at, inline), inline)
    else writePairs(w, value, position === 'root' ? 0 : at + 2, inline)
  }
}

/** Dashes stand under the key they belong to, otherwise two columns in. */
function columnOfItems(position: Position, at: number, inline: boolean): number {
  if (position === 'root') return 0
  return position === 'value' || (position === 'explicit' && !inline) ? at : at + 2
}

function writeItems(w: NodeWriter, items: RubyValue[], column: number, inline: boolean): void {
  for (let i = 0; i < items.length; i++) {
    w.out += i === 0 && inline ? ' -' : `${lineAt(w, column)}-`
    writeNode(w, items[i]!, 'item', column, column + 2)
  }
}

function writePairs(w: NodeWriter, map: RubyMap, column: number, inline: boolean): void {
  const { keys, values, className } = map
  const recent = (className === undefined ? w.recent.hashes : w.recent.objects)[column]
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const value = values[i]!
    let lead = recent !== undefined && recent.keys[i] === key ? recent.leads[i] : undefined
    if (lead === undefined) {
      const simple = simpleKey(w, key, className)
      if (simple === undefined) {
        writeExplicitPair(w, key, value, column, i === 0 && inline)
        continue
      }
      lead = `${newLine(column)}${simple}: `
      if (recent !== undefined && typeof key === 'string') remember(recent, i, key, lead)
    }
    writePair(w, lead, value, column, i === 0 && inline)
  }
}

/** Notes how a key stands at its place among the keys of a mapping, while those before it are noted too. */
function remember(recent: RecentKeys, at: number, key: string, lead: string): void {
  if (key.length > MAX_RECENT_LENGTH || at > recent.keys.length) return
  recent.keys[at] = key
  recent.leads[at] = lead
}

/** Writes a pair with a simple key. `lead` is line break, margin, key, colon and space. */
function writePair(w: NodeWriter, lead: string, value: RubyValue, column: number, inline: boolean): void {
  let start = lead
  if (inline) start = lead.slice(column)
  else if (w.fresh) {
    start = lead.slice(1)
    w.fresh = false
  }
  const at = lead.length - 1
  if (typeof value === 'string') w.out += start + stringText(w, value, at, column + 2)
  else if (value === true) w.out += `${start}true`
  else if (value === false) w.out += `${start}false`
  else if (typeof value === 'number') w.out += start + integerText(value)
  else {
    w.out += start.slice(0, -1)
    writeNode(w, value, 'value', column, at)
  }
}

function writeExplicitPair(w: NodeWriter, key: RubyValue, value: RubyValue, column: number, inline: boolean): void {
  w.out += inline ? ' ?' : `${lineAt(w, column)}?`
  writeNode(w, key, 'explicit', column, column + 2)
  w.out += `${lineAt(w, column)}:`
  writeNode(w, value, 'explicit', column, column + 2)
}

/** A key as it stands before `:`, or undefined when it has to be written behind `?`. */
function simpleKey(w: NodeWriter, key: RubyValue, className: string | undefined): string | undefined {
  const alias = w.names === undefined ? '' : aliasOf(w, key)
  if (alias !== '') return w.legacy ? alias : `${alias} `
  if (Array.isArray(key) || key instanceof RubyMap) return emptyCollectionKey(w, key)
  if (className === undefined) return keyText(w, scalarOf(w, key), propertiesOf(w, key), anchorLength(w, key))
  if (typeof key !== 'string' || !isVariableName(key)) {
    throw new GatewayError(
      'codec.value',
      `${JSON.stringify(String(key))} names no variable of an object of ${className}`,
    )
  }
  return keyText(w, variableScalar(key), '', 0)
}

function aliasOf(w: NodeWriter, key: RubyValue): string {
  return typeof key === 'object' && key !== null && w.written?.has(key) === true ? `*${w.names?.get(key)}` : ''
}

function anchorLength(w: NodeWriter, key: RubyValue): number {
  if (w.names === undefined || typeof key !== 'object' || key === null) return 0
  return String(w.names.get(key) ?? '').length
}

function emptyCollectionKey(w: NodeWriter, key: RubyValue[] | RubyMap): string | undefined {
  if ((Array.isArray(key) ? key.length : key.keys.length) > 0) return undefined
  const tag = tagOf(key)
  if (anchorLength(w, key) + tag.length - 1 > MAX_SIMPLE_KEY_BYTES) return undefined
  return propertiesOf(w, key) + tag + (Array.isArray(key) ? '[]' : '{}')
}
