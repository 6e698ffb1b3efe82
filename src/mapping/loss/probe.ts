import { isDeepStrictEqual } from 'node:util'
import { GatewayError } from '../../errors.js'
import { type Channel, completeCause, completeParties, type Fact, type FactKind } from '../../model/index.js'
import { compileDialect, type Dialect } from '../dialect.js'
import { type Bag, modelPath } from '../paths.js'
import type { CarryRules, MappingFile } from '../schema.js'
import { type Assignment, OTHER, type Possibilities } from './situations.js'
import { FIRST, isAside, isList, listOf, OTHERS, shapeAt } from './tellings.js'

/** A dialect with the file it was made of. */
export interface Subject {
  readonly file: MappingFile
  readonly dialect: Dialect
}

/** What became of a fact that was written and read again. */
export type Probed =
  | {
      /** Rule that wrote it. */
      readonly message: string
      /** The fact as it comes back. */
      readonly back: Fact
      /** The fact as receivers see it who do not know what rides along. */
      readonly seen: Fact
    }
  | { readonly refused: string | undefined }

/** Writes a fact in a dialect and reads it again. */
export type Probe = (fact: Fact) => Probed

/** Keys that nobody writes; a mapping with this prefix reads nothing that rides along. */
const BLIND = '\u0000'

/** A probe of a dialect that may carry what `from` keeps aside. */
export function probeOf(to: Subject, from: Subject): Probe {
  const both = [to, from]
  const treesOf = (name: string) => both.find(({ file }) => file.dialect === name)?.dialect.codec.trees
  const { codec } = to.dialect
  const open = compileDialect(to.file, codec, treesOf, '')
  const blind = compileDialect(blinded(to.file), codec, treesOf, '')
  const rests = carriedRests(to.file)
  return (fact) => {
    try {
      const [message] = open.encode({ facts: [fact] }).messages
      if (message === undefined) return { refused: undefined }
      const { address, body } = message
      const [back] = open.decode(address, body).facts
      const [seen] = blind.decode(address, body).facts
      return { message: message.rule, back: back!, seen: withoutCarried(seen!, rests) }
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      return { refused: error.message }
    }
  }
}

function blinded(file: MappingFile): MappingFile {
  const blind = <T extends { carry?: CarryRules | undefined }>(part: T): T =>
    part.carry === undefined ? part : { ...part, carry: { ...part.carry, prefix: BLIND } }
  const messages = Object.entries(file.messages).map(([name, rule]) => {
    if (rule === null) return [name, rule] as const
    return [name, blind(rule.item === undefined ? rule : { ...rule, item: blind(rule.item) })] as const
  })
  return { ...file, messages: Object.fromEntries(messages) }
}

/** A place for any name takes what rides along, too, where that is not known for what it is. */
function carriedRests(file: MappingFile): { readonly rest: string; readonly prefix: string }[] {
  return Object.values(file.messages)
    .flatMap((rule) => [rule, rule?.item])
    .flatMap((part) =>
      part?.carry === undefined || part.rest === undefined ? [] : [{ rest: part.rest, prefix: part.carry.prefix }],
    )
    .filter(({ rest, prefix }, i, all) => all.findIndex((each) => each.rest === rest && each.prefix === prefix) === i)
}

function withoutCarried(fact: Fact, rests: ReturnType<typeof carriedRests>): Fact {
  for (const { rest, prefix } of rests) {
    const bag = fact as unknown as Bag // read by name
    const map = bag[rest] as Bag | undefined
    if (map === undefined) continue
    const own = Object.entries(map).filter(([key]) => !key.startsWith(prefix))
    bag[rest] = own.length === 0 ? undefined : Object.fromEntries(own)
  }
  return fact
}

/** A fact that holds what is assigned, and something wherever else it may; undefined where both cannot be. */
export function factFor(kind: FactKind, known: Possibilities, assigned: Assignment, dialect: string): Fact | undefined {
  const fact = { kind } as Fact
  const set = (path: string, value: unknown) => modelPath(kind, path, dialect)!.set(fact, value)
  for (const [path, { values }] of known) {
    const list = isList(kind, path) ? path : listOf(path)
    if (list !== undefined) {
      if (path === list || (path.endsWith(FIRST) && !known.has(list))) setList(list)
    } else if (assigned.has(path)) {
      const value = assigned.get(path)
      if (value !== undefined) set(path, value === OTHER ? sampleOf(kind, path) : value)
    } else set(path, values === undefined ? sampleOf(kind, path) : values[0])
  }

  function setList(list: string): void {
    const isAbsent = [list, list + FIRST].some((path) => assigned.has(path) && assigned.get(path) === undefined)
    if (isAbsent) return
    const isWhole = known.has(list) && !(assigned.has(list + OTHERS) && assigned.get(list + OTHERS) === undefined)
    const first = assigned.get(list + FIRST)
    const one = first === undefined || first === OTHER ? sampleOf(kind, list + FIRST) : first
    if (isWhole) set(list, [one, sampleOf(kind, list + OTHERS)])
    else if (known.has(list)) set(list, [one])
    else set(list + FIRST, one)
  }

  const made = completeFact(fact)
  return [...assigned].every(([path, value]) => isAside(path) || holds(made, path, value)) ? made : undefined
}

function holds(fact: Fact, path: string, value: unknown): boolean {
  const found = valueIn(fact, path)
  return value === OTHER ? found !== undefined : isDeepStrictEqual(found, value)
}

/** Fills in what follows from what a fact tells, like the gateway does. */
export function completeFact(fact: Fact): Fact {
  if (fact.kind !== 'channel' && fact.kind !== 'cdr') return fact
  const cause = completeCause(fact.cause)
  return completeParties(cause === undefined ? fact : { ...fact, cause })
}

/** Names of the parties that tell the same by another name; undefined for other paths. */
export function otherParties(kind: FactKind, path: string): string | undefined {
  if (kind !== 'channel' && kind !== 'cdr') return undefined
  const [party] = path.split('.')
  if (party === 'caller' || party === 'callee') return 'own and far'
  return party === 'own' || party === 'far' ? 'caller and callee' : undefined
}

/**
 * What came back, with its parties told both ways. Which of them calls follows from the direction, which whoever
 * follows a call knows from its first sight.
 */
export function withParties(back: Fact, went: Fact): Fact {
  if ((back.kind !== 'channel' && back.kind !== 'cdr') || back.kind !== went.kind) return back
  const { direction } = went
  if (direction === undefined) return back
  const { caller, callee, own, far } = completeParties<Channel>({ ...back, direction })
  return { ...back, ...(caller && { caller }), ...(callee && { callee }), ...(own && { own }), ...(far && { far }) }
}

/** What a fact holds at a path, also at one that names the first or the others of a list. */
export function valueIn(fact: Fact, path: string): unknown {
  const list = listOf(path)
  if (list === undefined || !isList(fact.kind, list)) return modelPath(fact.kind, path, '')!.get(fact) ?? undefined
  const [first, ...others] = (modelPath(fact.kind, list, '')!.get(fact) ?? []) as readonly unknown[]
  return path.endsWith(FIRST) ? first : others.length === 0 ? undefined : others
}

const CAUSE = { 'cause.code': 17, 'cause.name': 'USER_BUSY' } as const

/** A value that no rule has a word for, and that loses something where a rule rounds. */
export function sampleOf(kind: FactKind, path: string): unknown {
  if (path in CAUSE) return CAUSE[path as keyof typeof CAUSE]
  const shape = shapeAt(kind, path)
  const text = path.replaceAll(/[^a-z]/gi, '') + (path.endsWith(OTHERS) ? 'too' : '')
  if (shape?.map) return { [`x${text}`]: text }
  switch (shape?.type) {
    case 'boolean':
      return true
    case 'enum':
      return shape.values![0]
    case 'int64':
    case 'uint32':
      return path.startsWith('times.') || path === 'from' || path === 'until' ? 1_700_000_000_123 : 1_234_567
    case 'double':
      return 0.625
    default:
      return text
  }
}
