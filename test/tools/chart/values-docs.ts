import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'

const FILE = 'helm/patchbay/values.yaml'

/** A value of the chart that has a comment of its own. */
export interface DocumentedValue {
  /** Keys from the top. */
  readonly path: readonly string[]
  readonly about: string
  readonly standard: unknown
}

/** The values of the chart as they are when nobody sets any. */
export function standardValues(): Readonly<Record<string, unknown>> {
  return load(readFileSync(FILE, 'utf8')) as Readonly<Record<string, unknown>> // a map, as helm wants it
}

/** The value at a path, undefined where there is none. */
export function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Readonly<Record<string, unknown>>)[key] // an object that has the key
        : undefined,
    values,
  )
}

/** What values.yaml says of its keys: each comment that begins with `# --` stands above the key it is about. */
export function documentedValues(): DocumentedValue[] {
  const values = standardValues()
  const found: DocumentedValue[] = []
  const keys: { readonly indent: number; readonly key: string }[] = []
  let comment: string[] | undefined
  for (const line of readFileSync(FILE, 'utf8').split('\n')) {
    const [, text] = /^\s*# ?(.*)$/.exec(line) ?? []
    const [, space, key] = /^(\s*)([A-Za-z][A-Za-z0-9]*):/.exec(line) ?? []
    if (text?.startsWith('-- ')) comment = [text.slice(3)]
    else if (text !== undefined) comment?.push(text)
    else if (space !== undefined && key !== undefined) {
      while ((keys.at(-1)?.indent ?? -1) >= space.length) keys.pop()
      keys.push({ indent: space.length, key })
      const path = keys.map((each) => each.key)
      if (comment !== undefined) found.push({ path, about: comment.join(' '), standard: valueAt(values, path) })
      comment = undefined
    }
  }
  return found
}

const cell = (text: string) => text.replaceAll('|', '\\|')

/** The values as a table in Markdown. */
export function valuesTable(): string {
  const rows = documentedValues().map(({ path, about, standard }) => {
    const shown = path[0] === 'config' ? 'see values.yaml' : `\`${JSON.stringify(standard)}\``
    return `| \`${path.join('.')}\` | ${cell(shown)} | ${cell(about)} |\n`
  })
  return `| Value | Default | |\n|---|---|---|\n${rows.join('')}`
}
