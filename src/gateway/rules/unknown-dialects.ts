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

/** Links and the messages that they name; other links take all. */
type MessageLinks = Readonly<Record<string, { readonly dialect: string; readonly messages?: readonly string[] }>>

/**
 * A fault for each message that a link names and its mapping file does not have.
 * @param known names of the messages of each dialect; links of others are passed over
 */
export function unknownMessages(
  links: MessageLinks,
  known: ReadonlyMap<string, readonly string[]>,
  source: YamlSource,
): Fault[] {
  return Object.entries(links).flatMap(([name, { dialect, messages = [] }]) => {
    const there = known.get(dialect)
    if (there === undefined) return []
    return messages.flatMap((message, at) => {
      if (there.includes(message)) return []
      const near = nearest(message, there)
      const right = near === undefined ? `want ${there.join(', ')}` : `did you mean ${near}?`
      const what = `the mapping of ${dialect} has no message ${message}`
      return [source.fault(['links', name, 'messages', at], 'config.link', what, right)]
    })
  })
}

/** The dialect of each link. */
export function dialectsOf(links: Readonly<Record<string, { readonly dialect: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(links).map(([name, { dialect }]) => [name, dialect]))
}
