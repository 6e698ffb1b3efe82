import { expect, test } from 'vitest'
import { z } from 'zod'
import { FAULT_CODES } from '../../src/config/fault.js'
import { configJsonSchema } from '../../src/config/schema.js'

const jsonSchema = z.json()
type Json = z.output<typeof jsonSchema>
const schema = jsonSchema.parse(configJsonSchema())

/** All properties of the JSON Schema with their path. */
function* properties(node: Json, path = ''): Generator<{ path: string; property: Record<string, Json> }> {
  if (typeof node !== 'object' || node === null) return
  if (Array.isArray(node)) {
    for (const item of node) yield* properties(item, path)
    return
  }
  for (const [key, value] of Object.entries(node)) {
    if (key === 'properties' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [name, property] of Object.entries(value)) {
        const at = path === '' ? name : `${path}.${name}`
        if (typeof property === 'object' && property !== null && !Array.isArray(property)) yield { path: at, property }
        yield* properties(property, at)
      }
    } else yield* properties(value, path)
  }
}

const all = [...properties(schema)]

test('the JSON Schema refuses unknown keys and requires what has no default', () => {
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false, required: ['group', 'links', 'routes'] })
})

test('every key is described', () => {
  const isPlain = (property: Record<string, Json>) => property.const === undefined && property.$ref === undefined
  const bare = all.filter(({ property }) => isPlain(property) && typeof property.description !== 'string')
  expect(bare.map(({ path }) => path)).toEqual([])
})

test('a description names the very default', () => {
  const wrong = all.filter(({ property }) => {
    const value = property.default
    if (value === undefined || (typeof value === 'object' && value !== null)) return false
    return !String(property.description).endsWith(`Default ${String(value)}.`)
  })
  expect(wrong.map(({ path, property }) => `${path}: ${String(property.default)}`)).toEqual([])
})

test('every duration or size says its unit in its name and its description', () => {
  const unit = { Ms: 'milliseconds', Seconds: 'seconds', bytes: 'bytes' }
  for (const { path, property } of all) {
    for (const [suffix, word] of Object.entries(unit)) {
      if (path.endsWith(suffix)) expect(`${path}: ${String(property.description).toLowerCase()}`).toContain(word)
    }
  }
})

test('every fault code has a meaning and a known family', () => {
  for (const [code, meaning] of Object.entries(FAULT_CODES)) {
    expect(code).toMatch(/^(yaml|config|mapping)\.[a-z-]+$/)
    expect(meaning.length).toBeGreaterThan(10)
  }
})
