import { jsonRpcCodec } from '../../src/codecs/json-rpc/codec.js'
import { rubyYamlCodec } from '../../src/codecs/ruby-yaml/codec.js'
import { stasisCodec } from '../../src/codecs/stasis/codec.js'
import { formatFault } from '../../src/config/index.js'
import { compileDialect, type Dialect } from '../../src/mapping/dialect.js'
import { factsBodyFromJson } from '../../src/mapping/facts-json.js'
import { type LoadedMapping, loadMapping, type SettingValues } from '../../src/mapping/load.js'
import type { Address } from '../../src/mapping/message.js'

/** Loads a mapping given as texts by path; the first is the one that is wanted. Throws on faults. */
export function loadTexts(texts: Readonly<Record<string, string>>, settings: SettingValues = {}): LoadedMapping {
  const [first] = Object.keys(texts)
  const result = loadMapping(first!, { d: settings }, (path) => {
    const found = Object.entries(texts).find(([name]) => path === name || path.endsWith(`/${name}`))
    if (found === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    return found[1]
  })
  if ('faults' in result) throw new Error(result.faults.map(formatFault).join('\n'))
  return result.mapping
}

/** The dialect of a mapping text, with the codecs' types known under their own names. */
export function openText(text: string, settings: SettingValues = {}): Dialect {
  const { file, revision } = loadTexts({ 'd.yaml': text }, settings)
  const ruby = rubyYamlCodec({ classes: new Set(file.codec.classes), profile: 'psych-4' })
  const json = file.codec.name === 'stasis' ? stasisCodec() : jsonRpcCodec()
  const treesOf = (name: string) => (name === 'ruby' ? ruby.trees : name === 'd' ? codec.trees : undefined)
  const codec = file.codec.name === 'ruby-yaml' ? ruby : json
  return compileDialect(file, codec, treesOf, revision)
}

/** Facts of a body, without what the engine keeps aside unless asked for. */
export function read(dialect: Dialect, body: string, address?: Address): Record<string, unknown>[] {
  return dialect
    .decode(address, Buffer.from(body))
    .facts.map((fact) => JSON.parse(JSON.stringify(fact, plain)) as Record<string, unknown>)
}

/** Bodies that facts become. */
export function write(
  dialect: Dialect,
  facts: readonly Record<string, unknown>[],
  ext: Record<string, unknown> = {},
): string[] {
  const body = factsBodyFromJson({ facts, ext: { d: ext } }, (name) => (name === 'd' ? dialect.codec.trees : undefined))
  return dialect
    .encode({ facts: body.facts, ext: body.ext.d })
    .messages.map((message) => Buffer.from(message.body).toString())
}

/** What a body is after it was read and written again. */
export function again(dialect: Dialect, body: string): string[] {
  const { facts, ext } = dialect.decode(undefined, Buffer.from(body))
  return dialect.encode({ facts, ext }).messages.map((message) => Buffer.from(message.body).toString())
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
