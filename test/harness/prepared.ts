import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** The archive that roots and images are made from. */
export const MIRROR = 'http://deb.debian.org/debian'
const LIMIT_SECONDS = 600

/** Where what the tests prepare once for a machine is kept: `PATCHBAY_TEST_CACHE`, else `~/.cache/patchbay`. */
export function cacheFolder(): string {
  return process.env.PATCHBAY_TEST_CACHE ?? join(homedir(), '.cache', 'patchbay')
}

function why(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const output = ['stdout', 'stderr'].map((name) => String(Reflect.get(error, name) ?? ''))
  return [error.message, ...output].join('\n').trim().split('\n').slice(-15).join('\n')
}

/**
 * Runs a shell script that makes `path`, its first argument. It runs under a lock that the kernel lets go with its
 * holder, so calls from several processes wait for the one that makes it, and in a mount namespace of its own, so that a
 * preparation that is killed leaves no mount behind. The script has to look again whether `path` is there.
 * @throws Error that begins with `failed` and ends with what the script said.
 */
export async function prepareOnce(
  script: readonly string[],
  path: string,
  args: readonly string[],
  failed: string,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  const bounded = ['timeout', '--kill-after=5', String(LIMIT_SECONDS), 'unshare', '--mount']
  try {
    await promisify(execFile)('flock', [`${path}.lock`, ...bounded, ...script, path, ...args], {
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 16 * 1024 * 1024,
    })
  } catch (error) {
    throw new Error(`${failed} ${why(error)}`, { cause: error })
  }
}
