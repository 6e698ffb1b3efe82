import { readFileSync } from 'node:fs'
import { dashboard } from './dashboard.js'
import { valuesTable } from './values-docs.js'
import { valuesSchema } from './values-schema.js'

const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`

/** Chart.yaml with the version of the package, which package.json alone holds. */
function chartYaml(): string {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string } // npm wants it
  return readFileSync('helm/patchbay/Chart.yaml', 'utf8').replaceAll(/^(version|appVersion): .*$/gm, `$1: ${version}`)
}

function manual(): string {
  const text = readFileSync('helm/patchbay/README.md', 'utf8')
  const [begin, end] = ['<!-- values -->\n', '<!-- end of values -->']
  if (!text.includes(begin) || !text.includes(end)) throw new Error('the README of the chart has lost its marks')
  const [before, rest] = text.split(begin)
  return `${before}${begin}\n${valuesTable()}\n${end}${rest?.split(end)[1]}`
}

/** Files of the chart that are made from others, by path from the repository's root: each with its maker. */
export const CHART_MAKERS: Readonly<Record<string, () => string>> = {
  'helm/patchbay/Chart.yaml': chartYaml,
  'helm/patchbay/README.md': manual,
  'helm/patchbay/values.schema.json': () => json(valuesSchema()),
  'helm/patchbay/dashboards/patchbay.json': () => json(dashboard()),
}
