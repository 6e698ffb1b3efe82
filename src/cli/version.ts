import { readFileSync } from 'node:fs'

/** Version of this package; package.json alone holds it. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version // our own file
}
