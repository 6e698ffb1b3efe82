import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { EVENT_MESSAGES, xnodeMethods } from '../../src/codecs/json-rpc/index.js'
import { xccSchema } from '../../src/codecs/json-rpc/schema.js'

interface FactField {
  readonly name: string
  readonly number: number
  readonly type: string
  readonly label: string
  readonly mapKey?: string
  readonly mapValue?: string
}
interface Facts {
  readonly counts: { readonly rpcs: number; readonly messages: number; readonly fields: number }
  readonly services: readonly { service: string; rpc: string; request: string; response: string }[]
  readonly messages: Readonly<Record<string, { fields: readonly FactField[] }>>
  readonly enums: Readonly<Record<string, { values: Record<string, number> }>>
}

const facts = JSON.parse(readFileSync(new URL('../fixtures/xcc/xcc-messages.json', import.meta.url), 'utf8')) as Facts

const vendor = xccSchema().lookup('xctrl') as protobuf.Namespace
const ownName = (of: protobuf.ReflectionObject) => of.fullName.replace(/^\.xctrl\./, '').replace(/^\./, '')

function everything(of: protobuf.NamespaceBase): protobuf.ReflectionObject[] {
  return of.nestedArray.flatMap((inner) =>
    inner instanceof protobuf.Namespace ? [inner, ...everything(inner)] : [inner],
  )
}

function factOf(field: protobuf.Field): FactField {
  const { name, id: number, resolvedType, type: scalar } = field.resolve()
  const type = resolvedType === null ? scalar : ownName(resolvedType)
  if (field instanceof protobuf.MapField)
    return { name, number, type: 'map', label: 'map', mapKey: field.keyType, mapValue: type }
  return { name, number, type, label: field.repeated ? 'repeated' : 'optional' }
}

const byNumber = (fields: readonly FactField[]) => [...fields].sort((a, b) => a.number - b.number)
const defined = everything(vendor)
const types = defined.filter((of) => of instanceof protobuf.Type)
const enums = defined.filter((of) => of instanceof protobuf.Enum)

describe('xctrl as the vendor defines it', () => {
  test('has the same messages, no more and no fewer', () => {
    expect(types.map(ownName).sort()).toEqual(Object.keys(facts.messages).sort())
    expect(types.length).toBe(facts.counts.messages)
    expect(types.reduce((sum, type) => sum + type.fieldsArray.length, 0)).toBe(facts.counts.fields)
  })

  for (const type of types) {
    test(`${ownName(type)} has the same fields, numbers, types and labels`, () => {
      expect(byNumber(type.fieldsArray.map(factOf))).toEqual(byNumber(facts.messages[ownName(type)]?.fields ?? []))
    })
  }

  test('has the same enums and values', () => {
    const ours = Object.fromEntries(enums.map((of) => [ownName(of), { values: of.values }]))
    expect(ours).toEqual(facts.enums)
  })

  test('has the same service, in the same order', () => {
    const service = xccSchema().lookupService('xctrl.XNode')
    const ours = service.methodsArray.map(({ name, requestType, responseType }) => ({
      service: 'XNode',
      rpc: name,
      request: requestType,
      response: responseType,
    }))
    expect(ours).toEqual(facts.services)
    expect([...xnodeMethods().keys()]).toEqual(facts.services.map(({ rpc }) => `XNode.${rpc}`))
  })
})

describe('the description of the folder', () => {
  const readme = readFileSync(new URL('../../proto/xcc/README.md', import.meta.url), 'utf8')
  const eventRows = readme.split('\n').filter((line) => line.startsWith('| `Event.'))

  for (const [method, message] of EVENT_MESSAGES) {
    test(`names ${method} with its message`, () => {
      const name = method.slice('Event.'.length)
      const row = eventRows.find((line) => line.includes(`\`${method}\``) || line.includes(`\`${name}\``))
      expect(row).toContain(`\`${message}\``)
    })
  }

  test('names no event that the code does not know', () => {
    const named = eventRows.flatMap((row) => {
      const cell = row.split('|')[1] ?? ''
      return [...cell.matchAll(/`(?:Event\.)?(\w+)`/g)].map(([, name]) => `Event.${name}`)
    })
    expect(new Set(named)).toEqual(new Set(EVENT_MESSAGES.keys()))
  })
})
