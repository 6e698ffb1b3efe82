import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js'
import { RE2JS } from 're2js'
import type { Fact } from '../model/index.js'

/** A compiled CEL expression over `fact`. Answers undefined where a field it reads is absent. */
export type Expression = (fact: Fact) => string | number | boolean | undefined

/** What is wrong with an expression's text. */
export class ExpressionFault extends Error {}

/** Expressions are small; the bound keeps their cost per message small too. */
const MAX_NODES = 200
const LOOPS = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])
/** Functions of CEL that a mapping must not have: a clock, or regular expressions without a time bound. */
const REFUSED: Record<string, string> = {
  matches: 'use `text.fits(pattern)`, which takes RE2 patterns and runs in linear time',
  now: 'a mapping has no clock; the times of the message are in `fact.times`',
}

const environment = new Environment({ homogeneousAggregateLiterals: false, enableOptionalTypes: true })
  .registerVariable('fact', 'dyn')
  .registerFunction('string.fits(string): bool', fits)
  .registerFunction('sessionNumber(string): int', (id: string) => BigInt(sessionNumber(id)))
  .registerFunction('string.lower(): string', (text: string) => text.toLowerCase())
  .registerFunction('string.upper(): string', (text: string) => text.toUpperCase())

const patterns = new Map<string, RE2JS>()

function fits(text: string, pattern: string): boolean {
  let compiled = patterns.get(pattern)
  if (compiled === undefined) {
    compiled = RE2JS.compile(pattern)
    // Patterns are literals of mapping files in practice; the bound only guards against computed ones.
    if (patterns.size < 500) patterns.set(pattern, compiled)
  }
  return compiled.matcher(text).find()
}

/**
 * A session number for calls of dialects that have none: the same id always gives the same
 * number, below 2^53. Two FNV-1a hashes of different seeds make its low and high part.
 */
function sessionNumber(id: string): number {
  return (fnv1a(id, 0x811c9dc5) & 0x1f_ffff) * 0x1_0000_0000 + (fnv1a(id, 0x01000193) >>> 0)
}

function fnv1a(text: string, seed: number): number {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash ^ (hash >>> 15)
}

/** @throws ExpressionFault saying what is wrong and what would be right. */
export function compileExpression(source: string): Expression {
  const parsed = parseSource(source)
  inspect(parsed.ast)
  const checked = parsed.check()
  if (!checked.valid) throw new ExpressionFault(firstLine(checked.error?.message ?? 'the types do not fit'))
  return (fact) => {
    let value: unknown
    try {
      value = parsed({ fact })
    } catch {
      // The only things an expression can meet at run time are absent fields and values of another type.
      return undefined
    }
    if (typeof value === 'bigint') return Number(value)
    return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' ? value : undefined
  }
}

function parseSource(source: string): ReturnType<typeof environment.parse> {
  try {
    return environment.parse(source)
  } catch (error) {
    if (error instanceof ParseError) throw new ExpressionFault(firstLine(error.message))
    throw error
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.trim()
}

function inspect(root: ASTNode): void {
  let nodes = 0
  const pending: { node: ASTNode; loops: number }[] = [{ node: root, loops: 0 }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    nodes += 1
    if (nodes > MAX_NODES) throw new ExpressionFault(`more than ${MAX_NODES} terms; use a table or cases`)
    const { node } = next
    const name = node.op === 'call' ? node.args[0] : node.op === 'rcall' ? node.args[0] : undefined
    const hint = name === undefined ? undefined : REFUSED[name]
    if (hint !== undefined) throw new ExpressionFault(`\`${name}\` is not allowed: ${hint}`)
    const loops = next.loops + (name !== undefined && LOOPS.has(name) ? 1 : 0)
    if (loops > 1)
      throw new ExpressionFault(
        'a loop inside a loop is not allowed: its cost would grow with the square of the message',
      )
    if (name === 'fits') checkPattern(node.args)
    for (const child of childrenOf(node.args)) pending.push({ node: child, loops })
  }
}

/** A pattern written out must be one. */
function checkPattern(args: unknown): void {
  const list: unknown = Array.isArray(args) ? args.at(-1) : undefined
  const pattern: unknown = Array.isArray(list) ? list[0] : undefined
  if (!isNode(pattern) || pattern.op !== 'value' || typeof pattern.args !== 'string') return
  try {
    RE2JS.compile(pattern.args)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ExpressionFault(`"${pattern.args}" is no pattern: ${firstLine(why)}`)
  }
}

/** Paths that a sound expression reads from `fact`, such as `caller.number`, each as far as it is written out. */
export function factPaths(source: string): string[] {
  const found = new Set<string>()
  const visit = (node: ASTNode): void => {
    const path = pathOf(node)
    if (path !== undefined && path.length > 0) found.add(path.join('.'))
    else for (const child of childrenOf(node.args)) visit(child)
  }
  visit(parseSource(source).ast)
  return [...found]
}

/** The steps from `fact` to a node; undefined where it does not begin there. */
function pathOf({ op, args }: ASTNode): string[] | undefined {
  if (op === 'id') return args === 'fact' ? [] : undefined
  if (op !== '.' || !Array.isArray(args)) return undefined
  const [inner, name] = args as unknown[]
  const before = isNode(inner) ? pathOf(inner) : undefined
  return before === undefined || typeof name !== 'string' ? undefined : [...before, name]
}

function childrenOf(args: unknown): ASTNode[] {
  if (isNode(args)) return [args]
  return Array.isArray(args) ? args.flatMap(childrenOf) : []
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}
