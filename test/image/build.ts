import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { BASE_IMAGES, type ImageEngine } from '../harness/index.js'

/** The image that {@link buildImage} makes. */
export const IMAGE = 'localhost/patchbay:test'
/** What the build is told, beside its base. */
export const BUILD_ARGS = { VERSION: '9.8.7', REVISION: 'abc123', SOURCE: 'https://example.org/patchbay' } as const

const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'

/** What npm needs inside of the build that the machine has: who to trust, and what was downloaded before. */
function mounts(folder: string): string[] {
  const cache = process.env.npm_config_cache ?? join(homedir(), '.npm')
  mkdirSync(cache, { recursive: true })
  const settings = join(folder, 'npmrc')
  const lines = ['cache=/npm-cache', 'prefer-offline=true', 'update-notifier=false']
  const trusted = existsSync(AUTHORITIES)
  writeFileSync(settings, [...lines, ...(trusted ? [`cafile=${AUTHORITIES}`] : [])].map((line) => `${line}\n`).join(''))
  const trust = trusted ? [`${AUTHORITIES}:${AUTHORITIES}:ro`] : []
  return [`${cache}:/npm-cache`, `${settings}:/root/.npmrc:ro`, ...trust].map((mount) => `--volume=${mount}`)
}

/** Builds the repository's Dockerfile upon the base images. */
export async function buildImage(engine: ImageEngine): Promise<void> {
  const args = Object.entries({ NODE_IMAGE: BASE_IMAGES.node, ...BUILD_ARGS })
  await engine.buildah(
    ...['build', '--isolation=chroot', '--format=docker', `--tag=${IMAGE}`],
    ...args.map(([name, value]) => `--build-arg=${name}=${value}`),
    ...mounts(engine.folder),
    '.',
  )
}

/** Makes the folders that a container is given: configuration and secrets, readable by whoever runs in it. */
export function makeFolder(engine: ImageEngine, name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(engine.folder, name)
  mkdirSync(folder, { mode: 0o755 })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text, { mode: 0o644 })
  return folder
}

/** The regular files under a folder, as paths in it, with their sizes in bytes. */
export function filesIn(root: string, folder = ''): Map<string, number> {
  const found = new Map<string, number>()
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) for (const [file, bytes] of filesIn(root, path)) found.set(file, bytes)
    else if (entry.isFile()) found.set(path, statSync(join(root, path)).size)
  }
  return found
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly dev?: boolean }>>
}

/** The production dependencies of package-lock.json, by their folders, with their versions. */
export function lockedPackages(): Map<string, string> {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock // npm's own format
  const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true)
  return new Map(production.map(([path, { version = '' }]) => [path, version]))
}
