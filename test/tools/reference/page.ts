/** A generated page of `docs/reference`: its title, what it is, and its parts. */
export function page(title: string, about: string, parts: readonly string[]): string {
  const note = '<!-- Made by `npm run generate`; change what it is made from. -->'
  return `${[`# ${title}`, note, about, ...parts].join('\n\n')}\n`
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`.replaceAll('|  |', '| |')
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/** A text as code, where there is one. */
export const code = (text: string) => (text === '' ? '' : `\`${text}\``)
