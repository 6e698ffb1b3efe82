import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findNats } from '../../../src/cli/private-brokers/index.js'
import { cacheFolder, MIRROR, prepareOnce } from '../prepared.js'

const PREPARE_SCRIPT = fileURLToPath(new URL('prepare.sh', import.meta.url))
/** Packages of npm that hold Node's own build, and npm as that Node comes with. */
const PACKAGES = [`node-linux-${process.arch}@24.21.0`, 'npm@11.19.1']

/** The images that {@link ensureBaseImages} makes, by the names they have in its store. */
export const BASE_IMAGES = {
  node: 'localhost/node:24-bookworm-slim',
  rabbitMq: 'localhost/patchbay-rabbitmq:test',
  nats: 'localhost/patchbay-nats:test',
} as const

/** Programs that images are built and run with, each of the Debian package of its name. */
export const IMAGE_PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  buildah: ['/usr/bin/buildah'],
  podman: ['/usr/bin/podman'],
  runc: ['/usr/sbin/runc', '/usr/bin/runc'],
  debootstrap: ['/usr/sbin/debootstrap'],
  iproute2: ['/usr/sbin/ip', '/sbin/ip'],
}

/** Whether what a package of {@link IMAGE_PROGRAMS} brings is on this machine. */
export function hasImageProgram(name: string): boolean {
  return IMAGE_PROGRAMS[name]?.some((path) => existsSync(path)) ?? false
}

function baseStore(): string {
  const made = createHash('sha256').update(readFileSync(PREPARE_SCRIPT)).update(PACKAGES.join(' ')).digest('hex')
  return join(cacheFolder(), `images-bookworm-${process.arch}-${made.slice(0, 8)}`)
}

/**
 * Gives a store of {@link BASE_IMAGES} for others to build upon, which the first call on a machine makes with
 * debootstrap (about a minute, 0.4 GB). Calls from several processes wait for the one that makes it.
 * @throws Error that says what is missing.
 */
export async function ensureBaseImages(): Promise<string> {
  const store = baseStore()
  if (existsSync(store)) return store
  const [nats, missing] = [findNats(), Object.keys(IMAGE_PROGRAMS).filter((name) => !hasImageProgram(name))]
  if (process.getuid?.() !== 0 || missing.length > 0 || nats === undefined) {
    throw new Error(
      `Images are built and run as root on Debian, with ${Object.keys(IMAGE_PROGRAMS).join(', ')} and nats-server.`,
    )
  }
  process.stderr.write(`preparing base images in ${store}, once for this machine (about a minute)\n`)
  await prepareOnce(['sh', PREPARE_SCRIPT], store, [MIRROR, ...PACKAGES, nats], 'Base images could not be prepared.')
  return store
}
