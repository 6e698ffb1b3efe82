import { expect, test } from 'vitest'
import { type Dependencies, dependencyFaults, type LockEntry, type Manifest, readDependencies } from './dependencies.js'
import knownBad from './known-bad-packages.json' with { type: 'json' }

const HASH = `sha512-${'A'.repeat(86)}==`
const good: LockEntry = { version: '1.2.3', integrity: HASH, license: 'MIT' }
const README = '| `a` | letters | MIT |\n'

interface Plant {
  readonly manifest?: Manifest
  readonly entry?: LockEntry
  readonly installed?: Manifest | undefined
  readonly readme?: string
}

/** A project with the one dependency `a`, and with what is wrong about it. */
function project(plant: Plant): Dependencies {
  const { manifest = { dependencies: { a: '1.2.3' } }, entry = good, readme = README } = plant
  const installed = 'installed' in plant ? plant.installed : { version: '1.2.3', license: 'MIT' }
  return {
    manifest,
    packages: { 'node_modules/a': entry },
    readme,
    bad: [
      { name: 'a', versions: ['6.6.6'], why: 'it bites' },
      { name: 'b', versions: ['*'], why: 'all of them bite' },
    ],
    installed: () => installed,
  }
}

const from = (version: string): Plant => ({
  entry: { ...good, version },
  installed: { version, license: 'MIT' },
})

const sound: { name: string; plant: Plant }[] = [
  { name: 'pinned, hashed and free', plant: {} },
  { name: 'one of several licences is free', plant: licensed('(AFL-2.1 OR BSD-3-Clause)') },
  { name: 'a licence in the form of long ago', plant: licensed([{ type: 'MIT', url: 'x' }], 'MIT') },
  {
    name: 'a package for another machine',
    plant: { entry: { version: '1.2.3', license: 'MIT', optional: true }, installed: undefined },
  },
  { name: 'a licence that development may have', plant: licensed('MPL-2.0', 'MPL-2.0', true) },
]

function licensed(license: unknown, told = String(license), dev = false): Plant {
  return {
    entry: { ...good, license, dev },
    installed: { version: '1.2.3', license },
    readme: `| \`a\` | letters | ${told} |\n`,
  }
}

test.each(sound)('dependencies are fine: $name', ({ plant }) => {
  expect(dependencyFaults(project(plant))).toEqual([])
})

const planted: { name: string; plant: Plant; fault: RegExp }[] = [
  { name: 'a range', plant: { manifest: { dependencies: { a: '^1.2.3' } } }, fault: /a is asked for as \^1\.2\.3/ },
  { name: 'a tag', plant: { manifest: { devDependencies: { a: 'latest' } } }, fault: /asked for as latest/ },
  { name: 'a source of git', plant: { manifest: { dependencies: { a: 'github:x/a' } } }, fault: /asked for as github/ },
  { name: 'an override that is a range', plant: { manifest: { overrides: { a: '>=1' } } }, fault: /asked for as >=1/ },
  { name: 'no row in the README', plant: { readme: '' }, fault: /no row says what a is for/ },
  {
    name: 'another licence in the README',
    plant: { readme: '| `a` | letters | ISC |\n' },
    fault: /said to be under ISC, it is under MIT/,
  },
  { name: 'a copyleft licence', plant: licensed('GPL-3.0'), fault: /is under GPL-3\.0, which nobody allowed/ },
  { name: 'a licence for development in production', plant: licensed('MPL-2.0'), fault: /is under MPL-2\.0/ },
  { name: 'two licences that both hold', plant: licensed('MIT AND GPL-2.0'), fault: /MIT AND GPL-2\.0/ },
  {
    name: 'no licence at all',
    plant: { entry: { version: '1.2.3', integrity: HASH }, installed: { version: '1.2.3' } },
    fault: /is under no licence/,
  },
  { name: 'no hash', plant: { entry: { version: '1.2.3', license: 'MIT' } }, fault: /no sha512/ },
  { name: 'a weak hash', plant: { entry: { ...good, integrity: 'sha1-AAAA' } }, fault: /no sha512/ },
  {
    name: 'a source outside of the registry',
    plant: { entry: { ...good, resolved: 'git+ssh://git@github.com/x/a.git#1' } },
    fault: /does not come from the registry/,
  },
  { name: 'a link to a folder', plant: { entry: { ...good, link: true } }, fault: /does not come from the registry/ },
  { name: 'an install script', plant: { entry: { ...good, hasInstallScript: true } }, fault: /install script/ },
  { name: 'nothing installed', plant: { installed: undefined }, fault: /is not installed/ },
  {
    name: 'another version installed',
    plant: { installed: { version: '1.2.4', license: 'MIT' } },
    fault: /is installed as 1\.2\.4/,
  },
  { name: 'a release that is known to be bad', plant: from('6.6.6'), fault: /a@6\.6\.6 must not be used: it bites/ },
  {
    name: 'a package that is bad in every version, under another name',
    plant: { entry: { ...good, name: 'b' } },
    fault: /b@1\.2\.3 must not be used: all of them bite/,
  },
]

test.each(planted)('a fault of the dependencies is found: $name', ({ plant, fault }) => {
  const faults = dependencyFaults(project(plant))
  expect(faults.join('\n')).toMatch(fault)
})

test('the list of bad releases names each package once, with versions and a reason', () => {
  expect(new Set(knownBad.map(({ name }) => name)).size).toBe(knownBad.length)
  const exact = /^\*$|^\d+\.\d+\.\d+(-[\w.-]+)?$/
  expect(knownBad.filter(({ versions, why }) => why === '' || !versions.every((each) => exact.test(each)))).toEqual([])
})

test('what is read of this repository has every direct dependency', () => {
  const all = readDependencies('.', knownBad)
  const direct = Object.keys({ ...all.manifest.dependencies, ...all.manifest.devDependencies })
  expect(direct.filter((name) => all.packages[`node_modules/${name}`] === undefined)).toEqual([])
  expect(all.installed('node_modules/zod')?.name).toBe('zod')
})
