import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { FAULT_CODES, formatFault } from '../../src/config/index.js'
import { ERROR_CODES } from '../../src/errors.js'
import { checkFiles } from '../../src/gateway/rules/index.js'
import { createMetrics } from '../../src/telemetry/index.js'
import { METRICS } from '../../src/telemetry/metric-list.js'
import { readSourceTree } from '../lint/source-tree.js'
import { commandFaults, commandsIn } from './command-lines.js'
import { anchors, blocks, codes, DOCUMENTS, GUIDES, prose } from './documents.js'

test.each(DOCUMENTS)('the links of $path lead somewhere', ({ path, text }) => {
  const links = [...prose(text).matchAll(/\]\(([^)\s]*)\)/g)].map(([, link]) => link!)
  const local = links.filter((link) => !/^https?:/.test(link))
  const broken = local.filter((link) => {
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : join(dirname(path), file)
    if (!existsSync(target)) return true
    return anchor !== undefined && !anchors(readFileSync(target, 'utf8')).has(anchor)
  })
  expect(broken).toEqual([])
})

const IN_DOCS = GUIDES.filter(({ path }) => path.startsWith('docs/'))

const configurations = IN_DOCS.flatMap(({ path, text }) =>
  blocks(text, 'yaml').map((yaml, at) => ({ name: `${basename(path)} ${at + 1}`, yaml })),
)

test('the guides have configurations to check', () => {
  expect(configurations.length).toBeGreaterThanOrEqual(5)
})

/** What a file holds that stands for a secret: PEM where TLS wants that. */
const contentOf = (file: string) => (/\.(pem|crt|key)$/.test(file) ? '-----BEGIN X-----\n-----END X-----\n' : 'secret')

/** The configuration with its secrets in a folder of ours. */
function withSecrets(yaml: string, folder: string): string {
  return yaml.replaceAll(/\{ file: (\S+) \}/g, (_, file: string) => {
    const place = join(folder, file)
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, contentOf(file))
    return `{ file: ${place} }`
  })
}

test.each(configurations)('the configuration $name passes patchbay check', ({ yaml }) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-guides-'))
  try {
    const file = join(folder, 'patchbay.yaml')
    writeFileSync(file, withSecrets(yaml, folder))
    const env = Object.fromEntries([...yaml.matchAll(/\{ env: (\w+) \}/g)].map(([, name]) => [name!, 'secret']))
    const { faults } = checkFiles(file, env, (path) => readFileSync(path, 'utf8'))
    expect(faults.map(formatFault)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each(GUIDES)('the command lines of $path can be typed', ({ text }) => {
  const whole = blocks(text, 'sh').flatMap((block) => commandsIn(block.split('\n')))
  const parts = commandsIn(codes(text))
  const faults = [
    ...whole.flatMap((command) => commandFaults(command, true)),
    ...parts.flatMap((command) => commandFaults(command, false)),
  ]
  expect(faults).toEqual([])
})

test.each([
  ['patchbay chek -c patchbay.yaml', true],
  ['patchbay run', true],
  ['patchbay dlq list -c patchbay.yaml', true],
  ['patchbay translate --form xcc', false],
] as const)('a wrong command line is found: %s', (line, isWhole) => {
  const [command] = commandsIn([line])
  expect(commandFaults(command!, isWhole)).toHaveLength(1)
})

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> } // ours

test.each(GUIDES)('the scripts that $path names are there', ({ text }) => {
  const told = [...text.matchAll(/npm run ([a-z]+)/g)].map(([, script]) => script!)
  expect(told.filter((script) => !Object.hasOwn(scripts, script))).toEqual([])
})

const ours: readonly { readonly name: string; readonly labels: readonly string[] }[] = METRICS
const own = new Map(ours.map((metric) => [metric.name, metric]))

const SUFFIXES = /_(bucket|sum|count)$/

/** What changed may be that there is one no more. */
const OF_NOW = DOCUMENTS.filter(({ path }) => path !== 'CHANGELOG.md')

test.each(OF_NOW)('the metrics that $path names are there, with their labels', async ({ text }) => {
  const process = await createMetrics({ links: [], routes: [], version: '0' }).text()
  const told = [...text.matchAll(/\b((?:gateway|nodejs|process)_[a-z_]*[a-z])(?:\{([^}]*)\})?/g)]
  const wrong = told.filter(([, name = '', labels = '']) => {
    if (!name.startsWith('gateway_')) return !process.includes(`# HELP ${name} `)
    const metric = own.get(name) ?? own.get(name.replace(SUFFIXES, ''))
    const asked = labels.split(',').filter((label) => label !== '')
    return metric === undefined || asked.some((label) => !metric.labels.includes(label.split('=')[0]!.trim()))
  })
  expect(wrong.map(([whole]) => whole)).toEqual([])
})

test.each(IN_DOCS)('the error codes that $path names are there', ({ text }) => {
  const known = { ...ERROR_CODES, ...FAULT_CODES }
  const told = codes(text).filter((code) => /^(codec|mapping|config|link|state|gateway|yaml)\.[a-z-]+$/.test(code))
  expect(told.filter((code) => !Object.hasOwn(known, code))).toEqual([])
})

const settings = [...readFileSync('docs/reference/settings.md', 'utf8').matchAll(/^\| `([^`]+)` \|/gm)].map(
  ([, key]) => key!,
)

test.each(GUIDES)('the settings that $path names are there', ({ text }) => {
  const told = codes(text).filter((code) => /^[a-z]+[A-Za-z]*(\.[a-zA-Z]+)*$/.test(code) && /[a-z][A-Z]/.test(code))
  const isKnown = (code: string) => settings.some((key) => key === code || key.endsWith(`.${code}`))
  expect(told.filter((code) => !isKnown(code))).toEqual([])
})

const sources = [...readSourceTree('.')]
  .filter(([file]) => file.startsWith('src/'))
  .map(([, text]) => text.replaceAll('\\', ''))

/** What a text with `…` in it may look like in a source. */
function pattern(text: string): RegExp {
  const pieces = text.split('…').map((piece) => piece.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(pieces.join('.{0,80}?'))
}

const quoted = GUIDES.flatMap(({ path, text }) =>
  blocks(text, 'log').map((block) => ({ path, lines: block.trimEnd() })),
)

test('the texts of the log that guides quote stand in the program', () => {
  const lines = quoted.flatMap(({ lines }) => lines.split('\n'))
  expect(lines.length).toBeGreaterThan(40)
  expect(lines.filter((line) => !sources.some((source) => pattern(line).test(source)))).toEqual([])
})

test('a text that nobody writes is found', () => {
  expect(sources.some((source) => pattern('the broker is … on holiday').test(source))).toBe(false)
})

test('the table of log lines in the operator’s guide names lines of the program', () => {
  const { text } = GUIDES.find(({ path }) => path === 'docs/operating.md')!
  const [, rest = ''] = text.split('| Line | When |')
  const lines = codes(rest.split('\n\n')[0]!)
  expect(lines.length).toBeGreaterThan(8)
  expect(lines.filter((line) => line !== 'err' && !sources.some((source) => source.includes(`'${line}'`)))).toEqual([])
})
