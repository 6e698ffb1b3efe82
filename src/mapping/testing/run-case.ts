import { GatewayError } from '../../errors.js'
import type { Fact } from '../../model/index.js'
import type { Dialect } from '../dialect.js'
import { factsBodyFromJson, factsBodyToJson } from '../facts-json.js'
import type { DecodedMessage, TreesOf } from '../message.js'
import type { Bag } from '../paths.js'
import type { FieldRules } from '../schema.js'
import { isDropped } from '../slots.js'
import { differences, textDifferences } from './differences.js'
import type { TestCase } from './test-file.js'

/** What a test looks at: the facts of a message, the message of facts, or the message once read and written again. */
export type Direction = 'read' | 'write' | 'round trip'

/** How a test went in one direction. */
export interface CaseResult {
  readonly direction: Direction
  /** None when it held. */
  readonly differences: readonly string[]
}

/** What a test ran against, for the account of tested rules. */
export interface CaseTrace {
  readonly results: readonly CaseResult[]
  /** Rule and document of the message that was read. */
  readonly read: { readonly rule: string; readonly root: unknown } | undefined
  /** Rule and facts of what was written. */
  readonly written: { readonly rule: string; readonly facts: readonly Fact[] } | undefined
}

/** Runs a test against a dialect in every direction it has. */
export function runCase(test: TestCase, dialect: Dialect, treesOf: TreesOf): CaseTrace {
  const body = bodyOf(test)
  const results: CaseResult[] = []
  const take = (direction: Direction, found: readonly string[]) => void results.push({ direction, differences: found })
  const read = attempt(() => dialect.decode(test.wire.address, body))
  const written = attempt(() => writeFacts(test, dialect, treesOf))
  if (test.only !== 'write')
    take('read', 'error' in read ? [read.error] : factDifferences(test, dialect, read.value, treesOf))
  if (test.only !== 'read')
    take('write', 'error' in written ? [written.error] : bodyDifferences(test, dialect, written.value))
  if ('value' in read) {
    const again = attempt(() => writeAgain(test, dialect))
    take(
      'round trip',
      'error' in again
        ? [again.error]
        : bodyDifferences(
            { ...test, wire: { body: test.wire.body } },
            dialect,
            again.value,
            droppedBy(read.value, dialect),
          ),
    )
  }
  return {
    results,
    read: 'value' in read ? { rule: read.value.rule, root: dialect.codec.decode(body).root } : undefined,
    written: 'value' in written ? { rule: written.value.rule, facts: written.value.facts } : undefined,
  }
}

function attempt<T>(action: () => T): { readonly value: T } | { readonly error: string } {
  try {
    return { value: action() }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { error: `${error.code}: ${error.message}` }
  }
}

function bodyOf({ wire: { body } }: TestCase): Uint8Array {
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function factDifferences(test: TestCase, dialect: Dialect, { facts, ext }: DecodedMessage, treesOf: TreesOf): string[] {
  const got = factsBodyToJson({ facts, ext: Object.keys(ext).length === 0 ? {} : { [dialect.name]: ext } }, treesOf)
  const found = (got.facts as Bag[]).map((fact, i) => {
    const { meta: _, ext: own, ...fields } = fact
    return test.facts[i]?.ext === undefined ? fields : { ...fields, ext: own }
  })
  const want = test.facts.map(({ meta: _, ...fact }) => fact)
  const beside = test.ext === undefined ? [] : differences(test.ext, got.ext, 'ext')
  return [...differences(want, found, 'facts'), ...beside]
}

type Encoded = ReturnType<Dialect['encode']>['messages'][number]

function writeFacts(test: TestCase, dialect: Dialect, treesOf: TreesOf): Encoded {
  const { facts, ext } = factsBodyFromJson({ facts: test.facts, ext: test.ext ?? {} }, treesOf)
  return one(dialect.encode({ facts, ext: ext[dialect.name] }), facts.length)
}

function writeAgain(test: TestCase, dialect: Dialect): Encoded {
  const { facts, ext } = dialect.decode(test.wire.address, bodyOf(test))
  return one(dialect.encode({ facts, ext }), facts.length)
}

function one({ messages, unsaid }: ReturnType<Dialect['encode']>, facts: number): Encoded {
  const [message] = messages
  if (unsaid.length > 0)
    throw new GatewayError(
      'mapping.unsayable',
      `no message for ${unsaid.length} of ${facts} facts (${unsaid[0]!.kind})`,
    )
  if (message === undefined || messages.length > 1)
    throw new GatewayError(
      'mapping.unsayable',
      `want one message, got ${messages.length} (${messages.map(({ rule }) => rule).join(', ')})`,
    )
  return message
}

/** Wire paths of JSON whose values go no further than the rule that read the message. */
function droppedBy({ rule: name }: DecodedMessage, { messages }: Dialect): string[][] {
  const { root, each, fields, item } = messages.find((message) => message.name === name)!.rule
  const within = (prefix: readonly (string | undefined)[], rules: FieldRules | undefined) =>
    Object.entries(rules ?? {}).flatMap(([path, rule]) =>
      typeof rule === 'object' && rule !== null && isDropped(rule)
        ? [[...prefix, path].flatMap((part) => part?.split('.') ?? [])]
        : [],
    )
  return [...within([root], fields), ...within([root, each], item?.fields)]
}

/** A value of JSON without the members at a path, in each element where lists stand on the way. */
function without(value: unknown, [key, ...inner]: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => without(each, [key!, ...inner]))
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key!)) return value
  const { [key!]: member, ...rest } = value as Bag
  return inner.length === 0 ? rest : { ...value, [key!]: without(member, inner) }
}

function bodyDifferences(
  test: TestCase,
  dialect: Dialect,
  { address, body }: Encoded,
  dropped: readonly (readonly string[])[] = [],
): string[] {
  const text = Buffer.from(body).toString('utf8')
  const where = test.wire.address === undefined ? [] : differences(withoutReply(test.wire.address), address, 'address')
  if (dialect.codec.trees.ordered) return [...where, ...textDifferences(String(test.wire.body), text)]
  const want = typeof test.wire.body === 'string' ? (JSON.parse(test.wire.body) as unknown) : test.wire.body
  return [...where, ...differences(dropped.reduce(without, want), JSON.parse(text), 'body')]
}

/** Where to answer is no part of where a message travels. */
function withoutReply({ reply: _, ...address }: Record<string, string>): Record<string, string> {
  return address
}
