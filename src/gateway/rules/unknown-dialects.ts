import { type Fault, nearest, type YamlSource } from '../../config/index.js'

/**
 * A fault for each link that no mapping file is for.
 * @param links the dialect of each link
 * @param known dialects that there are mapping files for
 */
export function unknownDialects(
  links: Readonly<Record<string, string>>,
  known: readonly string[],
  source: YamlSource,
): Fault[] {
  return Object.entries(links).flatMap(([name, dialect]) => {
    if (known.includes(dialect)) return []
    const near = nearest(dialect, known)
    const right = near === undefined ? `want ${known.join(' or ')}` : `did you mean ${near}?`
    const what = `no mapping file is for the dialect ${dialect}`
    return [source.fault(['links', name, 'dialect'], 'config.link', what, right)]
  })
}

/** The dialect of each link. */
export function dialectsOf(links: Readonly<Record<string, { readonly dialect: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(links).map(([name, { dialect }]) => [name, dialect]))
}
