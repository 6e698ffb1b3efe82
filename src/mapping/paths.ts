import {
  FACT_ACCESS,
  FACT_SHAPES,
  type Fact,
  type FactKind,
  type FieldAccess,
  type FieldShape,
} from '../model/index.js'

/** A fact while the engine works on it by path. */
export type Bag = Record<string, unknown>

/** A model field named by a mapping file, with what reads and writes it. */
export interface ModelPath {
  readonly path: string
  /** `ext`: kept aside for the dialect; no shape. */
  readonly space: 'model' | 'ext'
  readonly shape: FieldShape | undefined
  get(fact: Fact): unknown
  set(fact: Fact, value: unknown): void
}

/** Shape of `full`, which every kind of fact has. */
const FULL: FieldShape = { type: 'boolean' }
const FULL_ACCESS: FieldAccess = {
  get: (draft) => draft.full,
  set(draft, value) {
    draft.full = value as never
  },
}

/** Shape of `at`, the time of the fact itself, which every kind of fact has. */
const AT: FieldShape = { type: 'int64' }
const AT_ACCESS: Pick<ModelPath, 'get' | 'set'> = {
  get: (fact) => fact.meta?.at,
  set(fact, value) {
    const at = value as number // of its shape
    fact.meta = fact.meta === undefined ? { at, clock: 'source' } : { ...fact.meta, at, clock: 'source' }
  },
}

/**
 * Resolves a path such as `caller.number`, `peers.0`, `vars.dept` or `ext.t_type` for one kind
 * of fact. Undefined when the model has no such field.
 */
export function modelPath(kind: FactKind, path: string, dialect: string): ModelPath | undefined {
  if (path.startsWith('ext.')) return extPath(path, path.slice(4), dialect)
  if (path === 'at') return { path, space: 'model', shape: AT, ...AT_ACCESS }
  // Paths come off the wire, too: what a fact is made of has names that no object has by itself.
  const shapes = FACT_SHAPES[kind] as Record<string, FieldShape>
  const shapeOf = (name: string) => (Object.hasOwn(shapes, name) ? shapes[name] : undefined)
  const shape = path === 'full' ? FULL : shapeOf(path)
  if (shape !== undefined) return { path, space: 'model', shape, ...accessors(kind, path) }
  const cut = path.lastIndexOf('.')
  const outer = shapeOf(path.slice(0, cut))
  const last = path.slice(cut + 1)
  if (outer?.list && /^\d{1,3}$/.test(last)) {
    return {
      path,
      space: 'model',
      shape: { ...outer, list: undefined } as never,
      ...element(path.slice(0, cut), Number(last)),
    }
  }
  const dot = path.indexOf('.')
  const map = shapeOf(path.slice(0, dot))
  if (map?.map && dot > 0)
    return { path, space: 'model', shape: { type: map.type }, ...entry(path.slice(0, dot), path.slice(dot + 1)) }
  return undefined
}

/** Whether a value from outside is one the model field may hold. */
export function fitsShape(value: unknown, shape: FieldShape): boolean {
  if (shape.list) return Array.isArray(value) && value.every((each) => fitsOne(each, shape))
  if (!shape.map) return fitsOne(value, shape)
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((v) => fitsOne(v, shape))
  )
}

function fitsOne(value: unknown, shape: FieldShape): boolean {
  switch (shape.type) {
    case 'string':
      return typeof value === 'string'
    case 'boolean':
      return typeof value === 'boolean'
    case 'enum':
      return typeof value === 'string' && shape.values!.includes(value)
    case 'double':
      return Number.isFinite(value)
    case 'uint32':
      return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff
    default:
      return Number.isSafeInteger(value)
  }
}

/** Paths a kind of fact offers, for hints. */
export function modelPaths(kind: FactKind): string[] {
  return [...Object.keys(FACT_SHAPES[kind]), 'full']
}

type Accessors = Pick<ModelPath, 'get' | 'set'>

function accessors(kind: FactKind, path: string): Accessors {
  const access = path === 'full' ? FULL_ACCESS : FACT_ACCESS[kind].fields[path]!
  // The engine works on facts by path; the generated code knows their fields.
  return access as unknown as Accessors
}

function element(list: string, index: number): Accessors {
  return {
    get: (fact) => ((fact as unknown as Bag)[list] as unknown[] | undefined)?.[index],
    set: (fact, value) => {
      const bag = fact as unknown as Bag
      const found = bag[list] as unknown[] | undefined
      if (found === undefined) bag[list] = index === 0 ? [value] : []
      else if (index <= found.length) found[index] = value
    },
  }
}

function entry(map: string, key: string): Accessors {
  return {
    get: (fact) => ownOf((fact as unknown as Bag)[map] as Bag | undefined, key),
    set: (fact, value) => {
      const bag = fact as unknown as Bag
      let found = bag[map] as Bag | undefined
      if (found === undefined) {
        found = {}
        bag[map] = found
      }
      setOwn(found, key, value)
    },
  }
}

function extPath(path: string, name: string, dialect: string): ModelPath {
  return {
    path,
    space: 'ext',
    shape: undefined,
    get: name in Object.prototype ? (fact) => ownOf(fact.ext?.[dialect], name) : (fact) => fact.ext?.[dialect]?.[name],
    set: (fact, value) => {
      setOwn(extensionOf(fact, dialect), name, value)
    },
  }
}

/** The extension of a dialect in a fact, made when missing. */
export function extensionOf(fact: Fact, dialect: string): Bag {
  fact.ext ??= {}
  let found = fact.ext[dialect]
  if (found === undefined) {
    found = {}
    fact.ext[dialect] = found
  }
  return found
}

function ownOf(bag: Bag | undefined, key: string): unknown {
  return bag !== undefined && Object.hasOwn(bag, key) ? bag[key] : undefined
}

/** Sets an own property whatever the key, `__proto__` too; answers the object. */
export function setOwn(object: Bag, key: string, value: unknown): Bag {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  else object[key] = value
  return object
}
