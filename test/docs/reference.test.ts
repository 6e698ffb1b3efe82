import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { configJsonSchema } from '../../src/config/index.js'
import { ERROR_CODES, ERROR_NOTES, type ErrorCode } from '../../src/errors.js'
import { createMetrics } from '../../src/telemetry/index.js'
import { readSourceTree } from '../lint/source-tree.js'

const page = (name: string) => readFileSync(`docs/reference/${name}.md`, 'utf8')

test('every metric that is exposed stands in the reference, with its meaning', async () => {
  const text = page('metrics')
  const metrics = createMetrics({ links: ['a'], routes: [{ name: 'r', to: 'a' }], version: '0', process: false })
  const exposed = [...(await metrics.text()).matchAll(/^# HELP (\S+) (.*)$/gm)]
  expect(exposed.length).toBeGreaterThan(10)
  expect(
    exposed.filter(([, name, help]) => !(text.includes(`| \`${name}\` |`) && text.includes(`| ${help} |`))),
  ).toEqual([])
})

test('every error code stands in the reference, with its meaning', () => {
  const text = page('error-codes')
  const missing = Object.entries(ERROR_CODES).filter(
    ([code, meaning]) => !text.includes(`| \`${code}\` | ${ERROR_NOTES[code as ErrorCode].fate} | ${meaning} |`),
  )
  expect(missing).toEqual([])
})

/** The arguments of each call that begins with a text, up to the parenthesis that ends it. */
function callsOf(source: string, begin: string): string[] {
  return source
    .split(begin)
    .slice(1)
    .map((rest) => {
      let depth = 1
      const end = [...rest].findIndex((character) => {
        if (character === '(') depth += 1
        if (character === ')') depth -= 1
        return depth === 0
      })
      return rest.slice(0, end)
    })
}

test('the fates in the reference are those that errors are raised with', () => {
  const sources = [...readSourceTree('.')].filter(([file]) => file.startsWith('src/'))
  const calls = sources.flatMap(([, text]) => callsOf(text, 'new GatewayError('))
  const raised = calls.flatMap((call) => {
    const code = /^\s*'([a-z.-]+)'/.exec(call)?.[1] as ErrorCode | undefined
    if (code === undefined || /fate(: [^'r]|,| \})/.test(call) || /, options\)?$/.test(call.trim())) return []
    return [{ code, fate: /fate: '(\w+)'/.exec(call)?.[1] ?? 'reject' }]
  })
  expect(raised.length).toBeGreaterThan(60)
  const wrong = raised.filter(({ code, fate }) => ![fate, 'either'].includes(ERROR_NOTES[code].fate))
  expect(wrong).toEqual([])
})

/** Every key that the schema has, wherever it stands. */
function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  if (Array.isArray(schema)) return schema.flatMap(keysOf)
  if ('writeOnly' in schema) return []
  const own =
    'properties' in schema && typeof schema.properties === 'object' ? Object.keys(schema.properties ?? {}) : []
  return [...own, ...Object.values(schema).flatMap(keysOf)]
}

test('every key of the configuration stands in the reference', () => {
  const told = new Set([...page('settings').matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key!.split('.').at(-1)!))
  const keys = [...new Set(keysOf(configJsonSchema()))]
  expect(keys.length).toBeGreaterThan(100)
  expect(keys.filter((key) => !told.has(key) && !told.has(`${key}[]`))).toEqual([])
})
