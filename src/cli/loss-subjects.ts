import type { Fault } from '../config/index.js'
import { openDialects, openOnce } from '../gateway/dialects.js'
import type { Subject } from '../mapping/loss/probe.js'
import type { SettingValues } from '../mapping/schema.js'

/** Dialects with the files they are made of, or what is wrong with the files. */
export type OpenedSubjects = { readonly subjects: readonly Subject[] } | { readonly faults: readonly Fault[] }

/** Opens mapping files for a loss report. */
export function openSubjects(
  paths: readonly string[],
  settings: Readonly<Record<string, SettingValues>>,
): OpenedSubjects {
  const opened = openDialects(paths, settings)
  if ('faults' in opened) return opened
  const subjects = paths.flatMap((path): Subject[] => {
    const result = openOnce(path, settings)
    if ('faults' in result) return []
    const { file } = result.mapping
    return [{ file, dialect: opened.dialects.get(file.dialect)! }]
  })
  return { subjects }
}
