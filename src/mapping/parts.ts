import { nearest, type YamlPath, type YamlSource } from '../config/index.js'
import type { CaseRule, ElementRule, FieldRule, MappingFile, MessageRule, PartRule, Test } from './schema.js'

/** A mapping whose messages have the fields of the parts they use, and where each of these stands in the file. */
export interface Expanded {
  readonly file: MappingFile
  readonly source: YamlSource
  /** The place in the file of a path within the expanded messages. */
  origin(path: YamlPath): YamlPath
  /** Parts that a message names and the file does not have: where, and the name. */
  readonly unknown: readonly { readonly path: YamlPath; readonly name: string }[]
  /** Rules of a part that another part of the same message has by the same name: where it is used, and which they are. */
  readonly clashes: readonly Clash[]
  readonly used: ReadonlySet<string>
}

/** Two parts of one message that both have a rule of one name. */
export interface Clash {
  /** Where the second is used. */
  readonly path: YamlPath
  /** Such as `fields.id`. */
  readonly rule: string
  readonly first: string
  readonly second: string
}

type Holder = Pick<MessageRule & ElementRule, 'use' | 'fields' | 'cases' | 'infer'>

/** What makes up a map; each may come from a part. */
const SECTIONS = ['fields', 'cases', 'infer'] as const

/** Puts the parts in the place of their names. What a message says itself goes before what its parts say. */
export function expandParts(file: MappingFile, source: YamlSource): Expanded {
  const origins = new Map<string, Origin>()
  const unknown: { path: YamlPath; name: string }[] = []
  const clashes: Clash[] = []
  const used = new Set<string>()
  const parts = file.parts ?? {}

  function expand<H extends Holder>(holder: H, path: YamlPath): H {
    if (holder.use === undefined) return holder
    const own = { fields: { ...holder.fields }, cases: { ...holder.cases }, infer: { ...holder.infer } }
    const made: typeof own = { fields: {}, cases: { ...own.cases }, infer: { ...own.infer } }
    for (const [name, at] of Object.entries(holder.use)) {
      if (at === null) continue
      const part = Object.hasOwn(parts, name) ? parts[name] : undefined
      if (part === undefined || part === null) {
        unknown.push({ path: [...path, 'use', name], name })
        continue
      }
      used.add(name)
      const placed = placedAt(part, at === '' ? '' : `${at}.`)
      for (const section of SECTIONS) {
        for (const [key, rule] of Object.entries(placed[section])) {
          if (Object.hasOwn(own[section], key)) continue
          if (Object.hasOwn(made[section], key)) {
            const first = origins.get(JSON.stringify([...path, section, key]))!.part
            clashes.push({ path: [...path, 'use', name], rule: `${section}.${key}`, first, second: name })
            continue
          }
          made[section][key] = rule as never // of its own section
          origins.set(JSON.stringify([...path, section, key]), { part: name, prefix: at === '' ? '' : `${at}.` })
        }
      }
    }
    Object.assign(made.fields, own.fields)
    return { ...holder, ...withoutEmpty(made) }
  }

  const messages = Object.entries(file.messages).map(([name, rule]) => {
    if (rule === null) return [name, rule] as const
    const path = ['messages', name]
    const message = expand(rule, path)
    return [name, message.item === undefined ? message : { ...message, item: expand(message.item, [...path, 'item']) }]
  })
  const origin = (path: YamlPath) => originOf(path, origins)
  return {
    file: { ...file, messages: Object.fromEntries(messages) as MappingFile['messages'] },
    source: follow(source, origin),
    origin,
    unknown,
    clashes,
    used,
  }
}

/** The name of a part that was meant by one that there is not. */
export function nearestPart(file: MappingFile, name: string): string | undefined {
  return nearest(name, Object.keys(file.parts ?? {}))
}

interface Origin {
  readonly part: string
  readonly prefix: string
}

/** A part with the wire paths it has where it is used. */
function placedAt({ fields = {}, cases = {}, infer = {} }: PartRule, prefix: string) {
  const keys = <T>(map: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(map).map(([key, value]) => [prefix + key, value]))
  const field = (rule: string | FieldRule | null) =>
    typeof rule === 'object' && rule?.if !== undefined ? { ...rule, if: keys<Test>(rule.if) } : rule
  const each = <T extends object>(map: Readonly<Record<string, T | null>>, place: (rule: T) => T) =>
    Object.fromEntries(Object.entries(map).map(([key, rule]) => [key, rule === null ? null : place(rule)]))
  return {
    fields: Object.fromEntries(Object.entries(fields).map(([key, rule]) => [prefix + key, field(rule)])),
    cases: each<CaseRule>(cases, (rule) => ({
      ...rule,
      wire: keys(rule.wire),
      ...(rule.also && { also: keys(rule.also) }),
    })),
    infer: each(infer, (rule) => ({ ...rule, ...(rule.wire && { wire: keys(rule.wire) }) })),
  }
}

function withoutEmpty<T extends object>(sections: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(sections).filter(([, section]) => Object.keys(section as object).length > 0),
  ) as Partial<T> // the same sections, less those that are empty
}

/** The longest beginning of a path that came from a part decides where it stands. */
function originOf(path: YamlPath, origins: ReadonlyMap<string, Origin>): YamlPath {
  for (let length = path.length; length > 3; length--) {
    const found = origins.get(JSON.stringify(path.slice(0, length)))
    if (found === undefined) continue
    const { part, prefix } = found
    const bare = (step: string | number) =>
      typeof step === 'string' && step.startsWith(prefix) ? step.slice(prefix.length) : step
    return ['parts', part, path[length - 2]!, ...path.slice(length - 1).map(bare)]
  }
  return path
}

function follow(source: YamlSource, origin: (path: YamlPath) => YamlPath): YamlSource {
  return {
    ...source,
    locate: (path, what) => source.locate(origin(path), what),
    isWhole: (path) => source.isWhole(origin(path)),
    keysInOrder: (path) => source.keysInOrder(origin(path)),
    fault: (path, code, what, right, at) => source.fault(origin(path), code, what, right, at),
  }
}
