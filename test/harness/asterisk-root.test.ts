import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ensureAsteriskRoot } from './asterisk/root.js'

/** Makes in its fourth argument the few files that the preparation touches, and counts its runs. */
const DEBOOTSTRAP = `#!/bin/sh
set -e
echo run >> "$PATCHBAY_TEST_CACHE/runs"
mkdir -p "$4/usr/share/zoneinfo" "$4/etc/asterisk"
touch "$4/usr/share/zoneinfo/UTC"
sleep 0.3
[ ! -e "$PATCHBAY_TEST_CACHE/archive-is-down" ] || { echo 'no answer from the archive' >&2; exit 1; }
`
const isRoot = process.getuid?.() === 0
const nameOfRoot = `asterisk-sid-${process.arch}`

let cache: string
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'patchbay-root-'))
  mkdirSync(join(cache, 'bin'))
  writeFileSync(join(cache, 'bin', 'debootstrap'), DEBOOTSTRAP, { mode: 0o755 })
  vi.stubEnv('PATCHBAY_TEST_CACHE', cache)
  vi.stubEnv('PATH', `${join(cache, 'bin')}:${process.env.PATH}`)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(cache, { recursive: true })
})

const runs = () => readFileSync(join(cache, 'runs'), 'utf8').trim().split('\n').length

/** Where the machine does not let us prepare anything, all that can be held is that it says so. */
async function prepared(): Promise<string | undefined> {
  if (isRoot) return ensureAsteriskRoot()
  await expect(ensureAsteriskRoot()).rejects.toThrow('run them as root')
  return undefined
}

test('is made once for all who ask at the same time, and what a killed preparation left goes', async () => {
  mkdirSync(join(cache, `${nameOfRoot}.partial`, 'half'), { recursive: true })
  const [first, second] = await Promise.all([prepared(), prepared()])
  expect(second).toBe(first)
  if (first === undefined) return
  expect(readdirSync(first).sort()).toEqual(['etc', 'usr'])
  expect(existsSync(`${first}.partial`)).toBe(false)
  await ensureAsteriskRoot()
  expect(runs()).toBe(1)
})

test('a preparation that fails says why, and the next one starts anew', async () => {
  const down = join(cache, 'archive-is-down')
  writeFileSync(down, '')
  await expect(ensureAsteriskRoot()).rejects.toThrow(isRoot ? 'no answer from the archive' : 'run them as root')
  expect(existsSync(join(cache, nameOfRoot))).toBe(false)
  rmSync(down)
  const root = await prepared()
  if (root !== undefined) expect(existsSync(root)).toBe(true)
})
