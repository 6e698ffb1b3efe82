import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import {
  enumShape,
  freeShape,
  listShape,
  mapShape,
  messageShape,
  SCALAR_SHAPES,
  type Shape,
  type Strictness,
} from '../json-shape.js'

/** Sources and compiled output lie equally deep, so one relative path serves both. */
const PROTO_FOLDER = fileURLToPath(new URL('../../../proto/', import.meta.url))

const FREE_JSON: ReadonlyMap<string, Shape> = new Map([
  ['.google.protobuf.Struct', freeShape('object')],
  ['.google.protobuf.ListValue', freeShape('list')],
  ['.google.protobuf.Value', freeShape('value')],
])

let loaded: protobuf.Root | undefined

/** Everything `proto/xcc/*.proto` defines; read at the first call, field names as on the wire. */
export function xccSchema(): protobuf.Root {
  if (loaded !== undefined) return loaded
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) => join(PROTO_FOLDER, target)
  const files = readdirSync(join(PROTO_FOLDER, 'xcc')).filter((name) => name.endsWith('.proto'))
  root.loadSync(
    files.sort().map((name) => `xcc/${name}`),
    { keepCase: true },
  )
  root.resolveAll()
  loaded = root
  return root
}

/** What an outgoing message is held to. */
export const STRICT: Strictness = { closed: true, nullIsAbsent: false }

/** What an incoming message is held to: peers add members, and write null for nothing. */
export const TOLERANT: Strictness = { closed: false, nullIsAbsent: true }

/** Options of {@link messageChecker}. */
export interface CheckerOptions {
  /** Members that the schema has and the message must nevertheless not carry. */
  readonly omit?: readonly string[]
  /** Names of members that the message may carry beyond its schema, all of type string. */
  readonly add?: readonly string[]
}

/**
 * Compiles one message type, with all that it holds, into a {@link Shape}. `name` is the full
 * name, such as `xctrl.ChannelEvent`; an unknown one is a bug and throws a plain Error.
 */
export function messageChecker(
  name: string,
  strictness: Strictness,
  { omit = [], add = [] }: CheckerOptions = {},
): Shape {
  const compile = typeCompiler(strictness)
  if (omit.length === 0 && add.length === 0) return compile.type(xccSchema().lookupType(name))
  const members = compile.members(xccSchema().lookupType(name))
  for (const member of omit) members.delete(member)
  const string = SCALAR_SHAPES.get('string')
  for (const member of add) if (string !== undefined && !members.has(member)) members.set(member, string)
  return messageShape(members, strictness)
}

function typeCompiler(strictness: Strictness) {
  const done = new Map<protobuf.Type, Shape>()

  function type(of: protobuf.Type): Shape {
    const known = FREE_JSON.get(of.fullName) ?? done.get(of)
    if (known !== undefined) return known
    // A message without fields stands for free JSON: the vendor leaves those open on purpose.
    if (of.fieldsArray.length === 0) return freeShape('object')
    const members = new Map<string, Shape>()
    const shape = messageShape(members, strictness)
    done.set(of, shape) // before its members, which may hold it again
    fill(members, of)
    return shape
  }

  function fill(members: Map<string, Shape>, of: protobuf.Type): Map<string, Shape> {
    for (const field of of.fieldsArray) members.set(field.name, fieldShape(field))
    return members
  }

  function fieldShape(field: protobuf.Field): Shape {
    const item = itemShape(field.resolve())
    if (field.map) return mapShape(item)
    return field.repeated ? listShape(item) : item
  }

  function itemShape({ resolvedType, type: name, fullName }: protobuf.Field): Shape {
    if (resolvedType instanceof protobuf.Enum) return enumShape(resolvedType.values)
    if (resolvedType !== null) return type(resolvedType)
    const scalar = SCALAR_SHAPES.get(name)
    if (scalar === undefined) throw new Error(`${fullName}: no JSON form is known for type ${name}`)
    return scalar
  }

  return { type, members: (of: protobuf.Type) => fill(new Map(), of) }
}
