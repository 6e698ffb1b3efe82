import { readdirSync, readFileSync } from 'node:fs'
import { CHART, helm } from '../helm/chart.js'
import { findDeadExports } from '../lint/dead-exports.js'
import { checkArrows, formatArrowFault } from '../lint/import-arrows.js'
import { readSourceTree } from '../lint/source-tree.js'
import { dependencyFaults, readDependencies } from './dependencies.js'
import { generatedFiles } from './generated-files.js'
import knownBad from './known-bad-packages.json' with { type: 'json' }
import { runNode, type Step, verdict } from './steps.js'

/** Files that users of the package import. */
const PACKAGE_ENTRIES = ['src/index.ts', 'src/codecs/ruby-yaml/index.ts']

const BIOME = 'node_modules/@biomejs/biome/bin/biome'
const TSC = 'node_modules/typescript/bin/tsc'

function mappingFiles(): string[] {
  const files = readdirSync('mappings').filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'))
  return files.map((name) => `mappings/${name}`)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function staleFiles(): string[] {
  const stale = [...generatedFiles()].filter(([path, text]) => readIfThere(path) !== text)
  return stale.map(([path]) => `${path} is not what it is made from; run npm run generate`)
}

function deadExports(): string[] {
  const dead = findDeadExports(readSourceTree('.'), PACKAGE_ENTRIES)
  return dead.map(({ file, line, name }) => `${file}:${line}: nothing else uses ${name}; do not export it`)
}

/** Helm holds the values to their schema, too; those of the example are a second set beside the standard ones. */
function chartFaults(): string[] {
  const sets = [[], ['--values', `${CHART}/examples/asterisk-sidecar-values.yaml`]]
  const runs = sets.map((values) => helm(['lint', '--strict', CHART, ...values]))
  return runs.flatMap(({ code, out, err }) => (code === 0 ? [] : [`${out}${err}`]))
}

const patchbay = (command: string) => runNode(['--import', 'tsx', 'src/main.ts', command, ...mappingFiles()])

/** What `npm run check` looks at, from the repository's root. */
export const CHECKS: readonly Step[] = [
  { name: 'format and lint', run: () => runNode([BIOME, 'check', '--error-on-warnings', '.']) },
  { name: 'types', run: () => runNode([TSC, '--noEmit', '-p', '.']) },
  { name: 'import arrows', run: () => verdict(checkArrows(readSourceTree('.')).map(formatArrowFault)) },
  { name: 'dead exports', run: () => verdict(deadExports()) },
  { name: 'dependencies', run: () => verdict(dependencyFaults(readDependencies('.', knownBad))) },
  { name: 'generated files', run: () => verdict(staleFiles()) },
  { name: 'chart', run: () => verdict(chartFaults()) },
  { name: 'mapping lint', run: () => patchbay('check') },
  { name: 'mapping cases and laws', run: () => patchbay('test') },
]
