import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.js'
import { formatFault, parseConfig, shippedMapping } from '../../src/config/index.js'
import { loadMapping } from '../../src/mapping/load.js'
import { allowedUnits, unitOf } from '../lint/layers.js'
import { readSourceTree } from '../lint/source-tree.js'

const readme = readFileSync('README.md', 'utf8')
const architecture = readFileSync('ARCHITECTURE.md', 'utf8')

interface Manifest {
  readonly version: string
  readonly license: string
  readonly scripts: Record<string, string>
  readonly dependencies: Record<string, string>
  readonly devDependencies: Record<string, string>
}
const manifestOf = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Manifest
const manifest = manifestOf('package.json')

/** The part of a text under a heading, up to the next heading of the same rank. */
function section(text: string, heading: string): string {
  const [, rest = ''] = text.split(`\n## ${heading}\n`)
  return rest.split('\n## ')[0]!
}

/** Rows of the first table in a text, without its head; each cell without the marks of code. */
function rows(text: string): string[][] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.startsWith('|---') || line.startsWith('| ---'))
  const end = lines.findIndex((line, at) => at > start && !line.startsWith('|'))
  return lines.slice(start + 1, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
}

const blocks = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, block]) => block!)

const dependencies = section(readme, 'Dependencies')
const TABLES = [
  { name: 'production', text: dependencies, wanted: manifest.dependencies },
  { name: 'development', text: dependencies.split('For development:')[1] ?? '', wanted: manifest.devDependencies },
]
test.each(TABLES)('the README names every $name dependency with its licence', ({ text, wanted }) => {
  const told = rows(text).map(([name, , licence]) => [name, licence])
  const found = Object.keys(wanted).map((name) => [name, manifestOf(`node_modules/${name}/package.json`).license])
  expect(told).toEqual(found)
})

test('the README names every command, and no script that is not there', () => {
  const told = rows(section(readme, 'Commands')).map(([command]) => command!.split(' ')[1])
  expect(told.sort()).toEqual(COMMANDS.map(({ name }) => name).sort())
  for (const [, script] of readme.matchAll(/npm run ([a-z]+)/g)) expect(manifest.scripts).toHaveProperty(script!)
})

test('the configuration in the README is accepted', () => {
  const [text = ''] = blocks(readme, 'yaml')
  const env = { LEGACY_PASSWORD: 'x', PBX_PASSWORD: 'x', CRM_PASSWORD: 'x' }
  expect(parseConfig(text, 'patchbay.yaml', env).faults).toBeUndefined()
  const whole = text.replaceAll(/^( *)# /gm, '$1')
  const { config } = parseConfig(whole, 'patchbay.yaml', env)
  expect([Object.keys(config!.links), config!.routes.length]).toEqual([['legacy', 'bus', 'pbx', 'apps'], 6])
})

test('the part of the mapping in the README stands in it', () => {
  const shipped = readFileSync(shippedMapping('voice-events.yaml'), 'utf8')
    .split('\n')
    .map((line) => line.trim())
  const told = blocks(readme, 'yaml')[1]!.trimEnd().split('\n')
  expect(told.filter((line) => !shipped.includes(line.trim()))).toEqual([])
})

test('the override in the README is accepted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-docs-'))
  try {
    mkdirSync(join(folder, 'mappings'))
    mkdirSync(join(folder, 'site'))
    const file = join(folder, 'site', 'voice-events.yaml')
    writeFileSync(join(folder, 'mappings', 'voice-events.yaml'), readFileSync(shippedMapping('voice-events.yaml')))
    writeFileSync(file, blocks(readme, 'yaml')[2]!)
    const loaded = loadMapping(file)
    expect('faults' in loaded ? loaded.faults.map(formatFault) : []).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the architecture draws the arrows that are held', () => {
  const tree = readSourceTree('.')
  const kindOf = (unit: string) => unit.replace(/\/.*/, '/*')
  const there = new Set([...tree.keys()].filter((file) => file.startsWith('src/')).map((file) => kindOf(unitOf(file))))
  const told = Object.fromEntries(rows(section(architecture, '2. Boundaries')).map(([unit, may]) => [unit, may]))
  const held = [...there].map((unit) => {
    const may = (allowedUnits(unit) ?? []).filter((other) => there.has(other))
    return [unit, may.length === 0 ? '–' : may.join(', ')]
  })
  expect(told).toEqual(Object.fromEntries(held))
})

test('the architecture names every file rightly', () => {
  const files = [...architecture.matchAll(/`((?:[a-z-]+\/)+[a-z-]+\.ts)`/g)].map(([, file]) => file!)
  const places = files.map((file) => (file.startsWith('src/') ? file : `src/${file}`))
  expect(places.filter((file) => !existsSync(file))).toEqual([])
})

test('the changelog begins with the version at hand', () => {
  expect(/^## \[([^\]]+)\]/m.exec(readFileSync('CHANGELOG.md', 'utf8'))?.[1]).toBe(manifest.version)
})
