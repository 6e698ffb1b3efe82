import { nearest, type YamlPath } from '../config/index.js'
import { type Checker, checkValue, type ReportFault } from './checker.js'
import { tableRows } from './converters.js'
import type { ModelPath } from './paths.js'
import type { MappingFile, Scalar } from './schema.js'

/**
 * Faults of the use of a table by a rule: an unknown name, or values the model field cannot hold. Answers the
 * name of the table that is meant.
 */
export function checkTableUse(
  name: string,
  field: ModelPath | undefined,
  path: YamlPath,
  checker: Checker,
): string | undefined {
  const { file, fault, usedTables } = checker
  const tables = file.tables ?? {}
  const meant = Object.hasOwn(tables, name) ? name : nearest(name, Object.keys(tables))
  if (meant !== name) {
    const right = meant === undefined ? 'add it under tables' : `did you mean ${meant}?`
    fault(path, 'mapping.table', `there is no table ${name}`, right)
  }
  if (meant === undefined) return undefined
  usedTables.add(meant)
  const table = tables[meant]!
  for (const [i, [wire, model]] of tableRows(table).entries())
    checkValue(field, model, ['tables', meant, ...rowPath(table, i, wire)], checker)
  return meant
}

/** The same for a table whose missing rows mean something, so that it may also be empty. */
export function checkOpenTable(name: string, field: ModelPath | undefined, path: YamlPath, checker: Checker): void {
  const meant = checkTableUse(name, field, path, checker)
  if (meant !== undefined) checker.openTables.add(meant)
}

/** Which tables need not be what tables usually are. */
export interface TableLeave {
  /** Used by a rule that says it loses something. */
  readonly lossy: ReadonlySet<string>
  /** Used where a missing row means something. */
  readonly open: ReadonlySet<string>
}

/** Faults of the tables themselves. */
export function checkTables(file: MappingFile, { lossy, open }: TableLeave, fault: ReportFault): void {
  for (const [name, table] of Object.entries(file.tables ?? {})) {
    const rows = tableRows(table)
    if (rows.length === 0 && !open.has(name))
      fault(['tables', name], 'mapping.table', `the table ${name} has no rows`, 'add rows, `wire: model`', 'key')
    const read = new Set<Scalar>()
    const written = new Map<Scalar, Scalar>()
    for (const [i, [wire, model]] of rows.entries()) {
      const at = ['tables', name, ...rowPath(table, i, wire)]
      if (read.has(wire)) {
        fault(
          at,
          'mapping.table',
          `${JSON.stringify(wire)} has a row already, so this one is never read`,
          'keep one of the two',
        )
      } else if (written.has(model) && !lossy.has(name) && !open.has(name)) {
        const what = `${JSON.stringify(written.get(model))} already stands for ${JSON.stringify(model)}, so this row is never written`
        const right = 'give each model value one wire value, or say `lossy` where the table is used'
        fault(at, 'mapping.table', what, right)
      }
      read.add(wire)
      if (!written.has(model)) written.set(model, wire)
    }
  }
}

function rowPath(table: unknown, index: number, wire: Scalar): YamlPath {
  return [Array.isArray(table) ? index : String(wire)]
}
