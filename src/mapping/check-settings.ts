import { type FaultCode, nearest, type YamlPath } from '../config/index.js'
import type { ReportFault } from './checker.js'
import type { MappingFile, SettingValues } from './schema.js'

const SETTING = /\{settings\.([\w-]+)\}/g
const MENTION = /settings\.([\w-]+)/g

/** Settings that a codec reads, and the values it knows for them. */
const CODEC_SETTINGS: Readonly<Record<MappingFile['codec']['name'], Readonly<Record<string, readonly string[]>>>> = {
  'ruby-yaml': { profile: ['psych-4', 'psych-2.0', 'compatible'] },
  'json-rpc': {},
  stasis: {},
}

/** What the checks of settings look at. `raw` is the file's data before anything was left out of it. */
export interface SettingsToCheck {
  readonly file: MappingFile
  readonly given: SettingValues
  readonly raw: unknown
  /** False when a rule that uses a setting may not have been read. */
  readonly isWhole: boolean
}

/** Faults of settings: unknown ones, unused ones, values of another type or that the codec does not know. */
export function checkSettings({ file, given, raw, isWhole }: SettingsToCheck, fault: ReportFault): void {
  const declared = file.settings ?? {}
  const known = Object.keys(declared)
  checkMentions(file.messages, ['messages'], known, fault)
  checkMentions(file.parts, ['parts'], known, fault)
  checkNowhereElse(file, fault)
  const used = new Set([...Object.keys(CODEC_SETTINGS[file.codec.name]), ...mentioned(raw, known)])
  for (const name of known) {
    if (used.has(name) || !isWhole) continue
    const what = `nothing uses the setting ${name}`
    fault(['settings', name], 'mapping.dead-rule', what, 'use it as {settings.NAME} in a message, or remove it', 'key')
  }
  for (const { name, code, what, right } of settingMistakes(file, declared))
    fault(['settings', name], code, what, right)
  for (const { name, code, what, right } of settingMistakes(file, given)) fault(['settings', name], code, what, right)
}

/** What is wrong with a value of a setting. */
export interface SettingMistake {
  readonly name: string
  readonly code: FaultCode
  readonly what: string
  readonly right: string
}

/** What is wrong with values for the settings of a mapping. */
export function settingMistakes(file: MappingFile, given: SettingValues): SettingMistake[] {
  const declared = file.settings ?? {}
  const known = Object.keys(declared)
  return Object.entries(given).flatMap(([name, value]): SettingMistake[] => {
    const usual = declared[name]
    if (usual === undefined) {
      const near = nearest(name, known)
      const right = near === undefined ? `its settings: ${known.join(', ')}` : `did you mean ${near}?`
      return [{ name, code: 'mapping.setting', what: `${file.dialect} has no setting ${name}`, right }]
    }
    if (typeof usual !== typeof value) {
      const what = `the value of the setting ${name} is ${JSON.stringify(value)}`
      return [
        { name, code: 'mapping.setting', what, right: `want a ${typeof usual}, such as ${JSON.stringify(usual)}` },
      ]
    }
    const values = CODEC_SETTINGS[file.codec.name][name]
    if (values === undefined || values.includes(String(value))) return []
    const near = nearest(String(value), values)
    const want = `want ${values.join(', ')}`
    const what = `the ${file.codec.name} codec has no ${name} ${JSON.stringify(value)}`
    return [{ name, code: 'mapping.value', what, right: near === undefined ? want : `did you mean ${near}? ${want}` }]
  })
}

function checkMentions(value: unknown, path: YamlPath, known: readonly string[], fault: ReportFault): void {
  if (typeof value === 'string') {
    for (const [, name] of value.matchAll(SETTING)) {
      if (known.includes(name!)) continue
      const near = nearest(name!, known)
      fault(
        path,
        'mapping.setting',
        `there is no setting ${name}`,
        near === undefined ? 'declare it under settings' : `did you mean ${near}?`,
      )
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value))
      checkMentions(each, [...path, Array.isArray(value) ? Number(key) : key], known, fault)
  }
}

/** Settings are filled in under `messages` only. */
function checkNowhereElse(file: MappingFile, fault: ReportFault): void {
  const visit = (value: unknown, path: YamlPath): void => {
    if (typeof value === 'string' && value.match(SETTING) !== null)
      fault(path, 'mapping.setting', `a setting is not filled in here`, 'use it under messages, or write the value out')
    else if (typeof value === 'object' && value !== null)
      for (const [key, each] of Object.entries(value)) visit(each, [...path, Array.isArray(value) ? Number(key) : key])
  }
  visit(file.tables, ['tables'])
  visit(file.settings, ['settings'])
}

/** Settings that the file seems to mean anywhere, misspelt or not. */
function mentioned(raw: unknown, known: readonly string[]): Set<string> {
  const found = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value === 'string') {
      for (const [, name] of value.matchAll(MENTION)) {
        const meant = known.includes(name!) ? name : nearest(name!, known)
        if (meant !== undefined) found.add(meant)
      }
    } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit)
  }
  visit(raw)
  return found
}
