import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Asterisk is packaged in Debian's unstable suite only. */
const MIRROR = 'http://deb.debian.org/debian'
const SUITE = 'sid'
const PACKAGES = ['asterisk', 'asterisk-modules', 'asterisk-core-sounds-en-wav']
const PREPARATION_LIMIT_SECONDS = 600

/**
 * Makes the root under another name and moves it when it is whole, so that what stands under the
 * real name is never half made. Runs under a lock that the kernel lets go with its holder, and in
 * a mount namespace of its own, so that a preparation that is killed leaves no mount behind.
 * Arguments: root, suite, mirror, packages.
 */
const PREPARE_SCRIPT = `
set -eu
[ ! -e "$1" ] || exit 0
rm -rf -- "$1.partial"
debootstrap --variant=minbase --include="$4" "$2" "$1.partial" "$3"
rm -rf -- "$1.partial"/var/cache/apt/archives/*.deb "$1.partial"/var/lib/apt/lists/*
rm -rf -- "$1.partial"/etc/asterisk/* "$1.partial"/etc/localtime
cp -- "$1.partial"/usr/share/zoneinfo/UTC "$1.partial"/etc/localtime
mv -- "$1.partial" "$1"
`

/** Where what the tests prepare once for a machine is kept: `PATCHBAY_TEST_CACHE`, else `~/.cache/patchbay`. */
function cacheFolder(): string {
  return process.env.PATCHBAY_TEST_CACHE ?? join(homedir(), '.cache', 'patchbay')
}

/** The folder that holds, or will hold, a Debian with Asterisk in it. */
function asteriskRoot(): string {
  return join(cacheFolder(), `asterisk-${SUITE}-${process.arch}`)
}

/** Whether the root is there, so that nothing is left to prepare. */
export function hasAsteriskRoot(): boolean {
  return existsSync(asteriskRoot())
}

function why(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const output = ['stdout', 'stderr'].map((name) => String(Reflect.get(error, name) ?? ''))
  return [error.message, ...output].join('\n').trim().split('\n').slice(-15).join('\n')
}

/**
 * Gives the folder of a Debian with Asterisk in it, which the first call on a machine makes with
 * debootstrap (about a minute, 0.4 GB). Calls from several processes wait for the one that makes it.
 * @throws Error that says what is missing.
 */
export async function ensureAsteriskRoot(): Promise<string> {
  const root = asteriskRoot()
  if (hasAsteriskRoot()) return root
  if (process.getuid?.() !== 0) {
    throw new Error('The tests need a real Asterisk: run them as root on Debian, or start a Docker engine.')
  }
  mkdirSync(cacheFolder(), { recursive: true })
  process.stderr.write(`preparing Asterisk in ${root}, once for this machine (about a minute)\n`)
  const script = ['sh', '-c', PREPARE_SCRIPT, 'sh', root, SUITE, MIRROR, PACKAGES.join(',')]
  try {
    const bounded = ['timeout', '--kill-after=5', String(PREPARATION_LIMIT_SECONDS), 'unshare', '--mount', ...script]
    await promisify(execFile)('flock', [`${root}.lock`, ...bounded], {
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 16 * 1024 * 1024,
    })
  } catch (error) {
    throw new Error(
      'Asterisk could not be prepared. It takes debootstrap and util-linux (Debian: apt-get install debootstrap ' +
        `util-linux) and the archive at ${MIRROR}; a Docker engine would do instead. ${why(error)}`,
      { cause: error },
    )
  }
  return root
}
