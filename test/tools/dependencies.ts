import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What we read of a package.json. */
export interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly license?: unknown
  readonly licenses?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly overrides?: Readonly<Record<string, string>>
}

/** An entry of package-lock.json, which has one for each place in node_modules. */
export interface LockEntry {
  readonly name?: string
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly license?: unknown
  readonly link?: boolean
  readonly dev?: boolean
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
}

/** Releases that must never be installed; `*` is every version. */
export interface KnownBad {
  readonly name: string
  readonly versions: readonly string[]
  readonly why: string
}

/** What is looked at. */
export interface Dependencies {
  readonly manifest: Manifest
  /** By place, such as `node_modules/a/node_modules/b`; without the project itself. */
  readonly packages: Readonly<Record<string, LockEntry>>
  readonly readme: string
  readonly bad: readonly KnownBad[]
  /** The package.json at a place; undefined where nothing is installed, as with packages for other machines. */
  installed(place: string): Manifest | undefined
}

/** Licences that ask for no more than to be named. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Python-2.0',
  'Unlicense',
])
/** Of files that we use as they are and give to nobody: packages for development alone. */
const ALLOWED_DEV = new Set(['MPL-2.0'])
/** Other spellings. */
const SPELLED: Readonly<Record<string, string>> = { Apache2: 'Apache-2.0', 'apache 2.0': 'Apache-2.0' }
/** Packages that say their licence only in their sources. */
const SAID_ELSEWHERE: Readonly<Record<string, string>> = { sprintf: 'BSD-3-Clause' }

/** Packages that may have install scripts; that of protobufjs prints a note, the others fetch or build a binary. */
const MAY_RUN_SCRIPTS = new Set(['cpu-features', 'esbuild', 'fsevents', 'protobufjs', 'ssh2'])

const REGISTRY = 'https://registry.npmjs.org/'
const EXACT = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.-]+)?$/

/** Reads what there is to look at in a folder. */
export function readDependencies(root: string, bad: readonly KnownBad[]): Dependencies {
  const read = (path: string) => readFileSync(join(root, path), 'utf8')
  const lock = JSON.parse(read('package-lock.json')) as { readonly packages: Record<string, LockEntry> } // npm's form
  const { '': _, ...packages } = lock.packages
  return {
    manifest: JSON.parse(read('package.json')) as Manifest, // npm's form
    packages,
    readme: read('README.md'),
    bad,
    installed(place) {
      try {
        return JSON.parse(read(`${place}/package.json`)) as Manifest // npm's form
      } catch {
        return undefined
      }
    },
  }
}

/** Everything that is wrong with the packages that this one is built and run with. */
export function dependencyFaults(all: Dependencies): string[] {
  const faults = Object.entries(all.packages).flatMap(([place, entry]) => packageFaults(all, place, entry))
  return [...pinFaults(all.manifest), ...tableFaults(all), ...faults]
}

function pinFaults({ dependencies, devDependencies, overrides }: Manifest): string[] {
  const asked = Object.entries({ ...dependencies, ...devDependencies, ...overrides })
  const loose = asked.filter(([, version]) => !EXACT.test(version))
  return loose.map(([name, version]) => `package.json: ${name} is asked for as ${version}; pin one version`)
}

function tableFaults({ manifest, packages, readme, installed }: Dependencies): string[] {
  const rows = new Map(
    [...readme.matchAll(/^\| `([^`|]+)` \|[^|]*\|([^|]*)\|$/gm)].map(([, name, licence]) => [name, licence!.trim()]),
  )
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).flatMap((name) => {
    const place = `node_modules/${name}`
    const told = rows.get(name)
    if (told === undefined) return [`README.md: no row says what ${name} is for`]
    const licence = licenceOf(name, installed(place) ?? packages[place] ?? {})
    return told === licence ? [] : [`README.md: ${name} is said to be under ${told}, it is under ${licence ?? 'none'}`]
  })
}

function packageFaults({ bad, installed }: Dependencies, place: string, entry: LockEntry): string[] {
  const name = entry.name ?? place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const found = installed(place)
  const faults: string[] = []
  const { version = '', resolved, integrity, link, dev = false, optional = false, hasInstallScript = false } = entry
  if (!EXACT.test(version) || link === true || (resolved !== undefined && !resolved.startsWith(REGISTRY)))
    faults.push('does not come from the registry')
  // npm knows no hash of a package that it found nowhere, as those for other machines may be.
  const isElsewhere = optional && found === undefined
  if (!isElsewhere && !/^sha512-[\w+/]{86}==$/.test(integrity ?? '')) faults.push('has no sha512 in package-lock.json')
  if (hasInstallScript && !MAY_RUN_SCRIPTS.has(name)) faults.push('has an install script, which nobody allowed')
  if (found === undefined && !isElsewhere) faults.push('is not installed; run npm ci')
  if (found !== undefined && found.version !== version) faults.push(`is installed as ${found.version}; run npm ci`)
  const licence = licenceOf(name, found ?? entry)
  if (!isAllowed(licence, dev)) faults.push(`is under ${licence ?? 'no licence'}, which nobody allowed`)
  for (const { versions, why } of bad.filter((each) => each.name === name))
    if (versions.includes('*') || versions.includes(version)) faults.push(`must not be used: ${why}`)
  return faults.map((fault) => `${place}: ${name}@${version} ${fault}`)
}

/** Also in the forms of long ago: an object, or a list of them. */
function licenceOf(name: string, { license, licenses }: Pick<Manifest, 'license' | 'licenses'>): string | undefined {
  const texts = [license ?? licenses ?? SAID_ELSEWHERE[name]].flat().flatMap((each: unknown) => {
    if (typeof each === 'string') return [SPELLED[each] ?? each]
    return typeof each === 'object' && each !== null && 'type' in each ? [String(each.type)] : []
  })
  return texts.length === 0 ? undefined : texts.join(' OR ')
}

/** Of several, one is chosen with OR, and all hold with AND. */
function isAllowed(licence: string | undefined, dev: boolean): boolean {
  const choices = (licence ?? '').replace(/[()]/g, '').split(' OR ')
  const fits = (name: string) => ALLOWED.has(name) || (dev && ALLOWED_DEV.has(name))
  return choices.some((choice) => choice.split(' AND ').every(fits))
}
