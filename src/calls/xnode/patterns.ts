/** A row of a table: what is meant, and how it is said. */
export type PatternRow = readonly [meant: string, said: string]

/** Says a text by the first row that fits; undefined where none does. */
export type Phrasing = (text: string) => string | undefined

type Piece = { readonly literal: string } | { readonly name: string; readonly greedy: boolean }

/** What stands between the scheme of an address and its host. */
const SCHEME_END = '://'
const HOLE = /\{([a-z][a-z0-9-]*)(\*?)\}/g

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  for (const match of text.matchAll(HOLE)) {
    if (match.index > at) pieces.push({ literal: text.slice(at, match.index) })
    pieces.push({ name: match[1]!, greedy: match[2] === '*' })
    at = match.index + match[0].length
  }
  if (at < text.length) pieces.push({ literal: text.slice(at) })
  return pieces
}

/**
 * What the holes of a pattern stand for in a text; undefined where it does not fit. A hole ends where the literal behind
 * it first stands, one for any text where it last does: no step is ever taken back, so time is linear.
 *
 * @param mayHoldUrl whether a hole may stand for an address
 */
function holesIn(pieces: readonly Piece[], text: string, mayHoldUrl: boolean): Map<string, string> | undefined {
  const found = new Map<string, string>()
  let rest = text
  for (const [index, piece] of pieces.entries()) {
    if ('literal' in piece) {
      if (!rest.startsWith(piece.literal)) return undefined
      rest = rest.slice(piece.literal.length)
      continue
    }
    const next = pieces[index + 1]
    const literal = next !== undefined && 'literal' in next ? next.literal : ''
    const end = literal === '' ? rest.length : piece.greedy ? rest.lastIndexOf(literal) : rest.indexOf(literal)
    if (end < 1) return undefined
    const value = rest.slice(0, end)
    if (!piece.greedy && /[/@]/.test(value)) return undefined
    if (!mayHoldUrl && value.includes(SCHEME_END)) return undefined
    found.set(piece.name, value)
    rest = rest.slice(end)
  }
  return rest === '' ? found : undefined
}

/**
 * Compiles the rows of a table. Whoever asks brings in no address that Asterisk would fetch from: a text with a scheme
 * fits only rows that say one themselves.
 */
export function compilePatterns(rows: readonly PatternRow[]): Phrasing {
  const compiled = rows.map(([meant, said]) => ({
    meant: piecesOf(meant),
    said: piecesOf(said),
    mayHoldUrl: said.includes(SCHEME_END),
  }))
  return (text) => {
    for (const { meant, said, mayHoldUrl } of compiled) {
      const found = holesIn(meant, text, mayHoldUrl)
      if (found !== undefined)
        return said.map((piece) => ('literal' in piece ? piece.literal : (found.get(piece.name) ?? ''))).join('')
    }
    return undefined
  }
}

/** Holes that a row fills but its pattern does not have. */
export function unknownHoles([meant, said]: PatternRow): string[] {
  const names = (text: string) => piecesOf(text).flatMap((piece) => ('literal' in piece ? [] : [piece.name]))
  const known = new Set(names(meant))
  return names(said).filter((name) => !known.has(name))
}
