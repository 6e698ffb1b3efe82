import { type FaultCode, nearest, type YamlPath } from '../config/index.js'
import type { FactKind } from '../model/index.js'
import { fitsShape, type ModelPath, modelPath, modelPaths } from './paths.js'
import type { MappingFile, Scalar, Test } from './schema.js'

/** Takes a fault at a place of the mapping. */
export type ReportFault = (path: YamlPath, code: FaultCode, what: string, right: string, at?: 'key' | 'value') => void

/** What the checks of one message share. */
export interface Checker {
  readonly file: MappingFile
  readonly kind: FactKind
  /** Whether the file's classes are known. */
  readonly hasClasses: boolean
  readonly fault: ReportFault
  /** Tables that some rule uses; the checks add to it. */
  readonly usedTables: Set<string>
  /** Of these, the ones that may be empty or have several rows for one value; the checks add to it. */
  readonly openTables: Set<string>
  /** The model field, or a fault and undefined. */
  field(path: YamlPath, name: string, at?: 'key' | 'value'): ModelPath | undefined
}

/** The checker of one message. Without a kind nothing is said about model fields. */
export function messageChecker(kind: FactKind, hasKind: boolean, shared: Omit<Checker, 'kind' | 'field'>): Checker {
  const { file, fault } = shared
  return {
    ...shared,
    kind,
    field(path, name, at) {
      if (!hasKind) return undefined
      if (name.startsWith('ext.')) {
        const [first] = name.slice(4)
        if (first !== undefined && first !== '$') return modelPath(kind, name, file.dialect)
        fault(
          path,
          'mapping.field',
          `${name} names no field of its own`,
          'want ext.NAME; names with `$` are the engine’s',
          at,
        )
        return undefined
      }
      const found = modelPath(kind, name, file.dialect)
      if (found !== undefined) return found
      fault(path, 'mapping.field', `a ${kind} fact has no field ${name}`, fieldHint(kind, name), at)
      return undefined
    },
  }
}

function fieldHint(kind: FactKind, name: string): string {
  const paths = modelPaths(kind)
  const near = nearest(name, paths) ?? nearEntry(kind, name) ?? paths.find((path) => path.endsWith(`.${name}`))
  if (near === undefined) return `fields of ${kind}: ${paths.join(', ')}, ext.NAME`
  return `did you mean ${near}? To keep a value the model has no word for: ext.${name.split('.').at(-1)}`
}

/** The entry of a map that a path with a mistyped head means, such as `vars.dept` for `var.dept`. */
function nearEntry(kind: FactKind, name: string): string | undefined {
  const dot = name.indexOf('.')
  if (dot < 1 || dot === name.length - 1) return undefined
  const maps = modelPaths(kind).filter((path) => modelPath(kind, path, '')?.shape?.map)
  const head = nearest(name.slice(0, dot), ['ext', ...maps])
  return head === undefined ? undefined : head + name.slice(dot)
}

/** A fault when a model field cannot hold the value. Null stands for absent. */
export function checkValue(field: ModelPath | undefined, value: Scalar, path: YamlPath, { fault }: Checker): void {
  if (field?.shape === undefined || value === null || fitsShape(value, field.shape)) return
  const { values = [], type } = field.shape
  const near = typeof value === 'string' ? nearest(value, values) : undefined
  const want = values.length === 0 ? `want a ${type}` : `want one of ${values.join(', ')}`
  const right = near === undefined ? want : `did you mean ${near}? ${want}`
  fault(path, 'mapping.value', `${field.path} cannot be ${JSON.stringify(value)}`, right)
}

/** The same for every value a test of a model field names. */
export function checkTest(field: ModelPath | undefined, test: Test, path: YamlPath, checker: Checker): void {
  if (typeof test !== 'object' || test === null) checkValue(field, test, path, checker)
  else if ('not' in test) for (const value of [test.not].flat()) checkValue(field, value, [...path, 'not'], checker)
  else if ('any' in test)
    for (const [i, value] of test.any.entries()) checkValue(field, value, [...path, 'any', i], checker)
}
