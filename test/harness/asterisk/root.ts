import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, MIRROR, prepareOnce } from '../prepared.js'

/** Asterisk is packaged in Debian's unstable suite only. */
const SUITE = 'sid'
const PACKAGES = ['asterisk', 'asterisk-modules', 'asterisk-core-sounds-en-wav']

/**
 * Makes the root under another name and moves it when it is whole, so that what stands under the
 * real name is never half made. Arguments: root, suite, mirror, packages.
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

/** The folder that holds, or will hold, a Debian with Asterisk in it. */
function asteriskRoot(): string {
  return join(cacheFolder(), `asterisk-${SUITE}-${process.arch}`)
}

/** Whether the root is there, so that nothing is left to prepare. */
export function hasAsteriskRoot(): boolean {
  return existsSync(asteriskRoot())
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
  process.stderr.write(`preparing Asterisk in ${root}, once for this machine (about a minute)\n`)
  await prepareOnce(
    ['sh', '-c', PREPARE_SCRIPT, 'sh'],
    root,
    [SUITE, MIRROR, PACKAGES.join(',')],
    'Asterisk could not be prepared. It takes debootstrap and util-linux (Debian: apt-get install debootstrap ' +
      `util-linux) and the archive at ${MIRROR}; a Docker engine would do instead.`,
  )
  return root
}
