import type { z } from 'zod'
import type { Fault } from './fault.js'
import { schemasAt } from './schema-walk.js'
import type { YamlPath, YamlSource } from './yaml-source.js'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every text of a file; `$${` stands for `${`
 * itself. A default is used for a variable that is not set or empty. Where the schema wants a
 * number or true/false, a text that came out of a replacement and looks like one becomes one.
 */
export function substitute(
  source: YamlSource,
  schema: z.core.$ZodType,
  env: Environment,
): { readonly source: YamlSource; readonly faults: readonly Fault[] } {
  const faults: Fault[] = []

  function text(value: string, path: YamlPath): unknown {
    let replaced = false
    const made = value.replace(PLACEHOLDER, (all: string, name?: string, _default?: string, fallback?: string) => {
      if (all === '$${') return '${'
      replaced = true
      if (name === undefined) {
        const what = `\`${all}\` begins a variable that cannot be read`
        const right = `write \`\${NAME}\` or \`\${NAME:-default}\`; \`$\${\` stands for the characters themselves`
        faults.push(source.fault(path, 'config.environment', what, right))
        return all
      }
      const found = env[name]
      if (found !== undefined && found !== '') return found
      if (fallback !== undefined) return fallback
      const what = `the environment variable ${name} is ${found === undefined ? 'not set' : 'empty'}`
      faults.push(source.fault(path, 'config.environment', what, `set it, or write \`\${${name}:-default}\``))
      return all
    })
    return replaced ? retyped(made, path) : made
  }

  function retyped(value: string, path: YamlPath): unknown {
    const types = schemasAt(schema, source.value, path).map((each) => each._zod.def.type)
    if (types.includes('number') && /^-?\d+(\.\d+)?$/.test(value)) return Number(value)
    if (types.includes('boolean') && /^(true|false)$/.test(value)) return value === 'true'
    return value
  }

  function walk(value: unknown, path: YamlPath): unknown {
    if (typeof value === 'string') return value.includes('${') ? text(value, path) : value
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]))
    if (typeof value !== 'object' || value === null) return value
    const made: Record<string, unknown> = Object.create(null)
    for (const [key, item] of Object.entries(value)) made[key] = walk(item, [...path, key])
    return made
  }

  return { source: { ...source, value: walk(source.value, []) }, faults }
}

const PLACEHOLDER = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$\{/g
