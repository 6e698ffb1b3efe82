import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** A document in Markdown: its path from the repository's root, and its text. */
export interface Document {
  readonly path: string
  readonly text: string
}

const read = (path: string): Document => ({ path, text: readFileSync(path, 'utf8') })

const markdownIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`)

/** What users and operators read, without the generated references. */
export const GUIDES: readonly Document[] = ['README.md', ...markdownIn('docs')].map(read)

/** Every document that may hold links. */
export const DOCUMENTS: readonly Document[] = [
  ...GUIDES,
  ...markdownIn('docs/reference').map(read),
  ...['ARCHITECTURE.md', 'CHANGELOG.md', 'SECURITY.md', 'mappings/README.md', 'proto/xcc/README.md']
    .filter((path) => existsSync(path))
    .map(read),
]

/** The blocks of a language in a document. */
export function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, block]) => block!)
}

/** A document without its blocks. */
export const prose = (text: string) => text.replaceAll(/^```[\s\S]*?^```$/gm, '')

/** What stands as code within lines; the bars that tables want with a backslash are bars again. */
export function codes(text: string): string[] {
  return [...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!.replaceAll('\\|', '|'))
}

/** The anchors that a document has for its headings. */
export function anchors(text: string): Set<string> {
  const headings = [...prose(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => heading!)
  return new Set(headings.map((heading) => slug(heading.replaceAll('`', ''))))
}

const slug = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
