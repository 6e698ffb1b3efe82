/** What is known of who reads the output. */
export interface Terminal {
  /** Characters a line has. */
  readonly columns: number
  readonly paint: Paint
}

/** Gives text a look; without colours, the text itself. */
export type Paint = (style: Style, text: string) => string

const CODES = { title: '1', name: '36', strong: '1;33', dim: '2', good: '32' } as const

/** How text may look. */
export type Style = keyof typeof CODES

type Environment = Readonly<Record<string, string | undefined>>

const USUAL_COLUMNS = 100
const MIN_COLUMNS = 24
/** Wider than that, the eye loses the line. */
const MAX_COLUMNS = 160

/** Width from the terminal, else from `COLUMNS`, else 100; colours on a terminal, unless `NO_COLOR` is set. */
export function terminalOf(stream: { isTTY?: boolean; columns?: number }, env: Environment): Terminal {
  const told = stream.columns ?? Number(env.COLUMNS ?? '')
  const columns = Number.isInteger(told) && told > 0 ? told : USUAL_COLUMNS
  const plain = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb' || stream.isTTY !== true
  return {
    columns: Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, columns)),
    paint: plain ? (_style, text) => text : (style, text) => `\u001b[${CODES[style]}m${text}\u001b[0m`,
  }
}

/** The text in lines of at most `width` characters, broken between words where there are any; its indent is kept. */
export function wrap(text: string, width: number): string[] {
  const indent = /^ */.exec(text)![0].slice(0, Math.floor(width / 2))
  const room = width - indent.length
  const lines: string[] = []
  let line: string | undefined
  for (const word of text
    .trimStart()
    .split(' ')
    .flatMap((each) => pieces(each, room))) {
    if (line !== undefined && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line === undefined ? word : `${line} ${word}`
  }
  return [...lines, line ?? ''].map((each) => indent + each)
}

/** The text in pieces of `width` characters. */
export function pieces(word: string, width: number): string[] {
  const out: string[] = []
  for (let at = 0; at === 0 || at < word.length; at += width) out.push(word.slice(at, at + width))
  return out
}

/** The text cut to `width` characters, the cut marked. Control characters are shown, not obeyed. */
export function cut(text: string, width: number): string {
  const safe = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '·')
  return safe.length <= width ? safe : `${safe.slice(0, Math.max(0, width - 1))}…`
}
