import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
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
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(cache, { recursive: true })
})

const runs = () => readFileSync(join(cache, 'runs'), 'utf8').trim().split('\n').length

// Only root may make one: without it these are listed as skipped, and what is left is that it says so.
describe.runIf(isRoot)('as root', () => {
  test('is made once for all who ask at the same time, and what a killed preparation left goes', async () => {
    mkdirSync(join(cache, `${nameOfRoot}.partial`, 'half'), { recursive: true })
    const [first, second] = await Promise.all([ensureAsteriskRoot(), ensureAsteriskRoot()])
    expect(first).toBe(join(cache, nameOfRoot))
    expect(second).toBe(first)
    expect(readdirSync(first).sort()).toEqual(['etc', 'usr'])
    expect(existsSync(`${first}.partial`)).toBe(false)
    await ensureAsteriskRoot()
    expect(runs()).toBe(1)
  })

  test('a preparation that fails says why, and the next one starts anew', async () => {
    const down = join(cache, 'archive-is-down')
    writeFileSync(down, '')
    await expect(ensureAsteriskRoot()).rejects.toThrow('no answer from the archive')
    expect(existsSync(join(cache, nameOfRoot))).toBe(false)
    rmSync(down)
    expect(existsSync(await ensureAsteriskRoot())).toBe(true)
    expect(runs()).toBe(2)
  })
})

test('without root it says what is wanted, and nothing is begun', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(1000)
  await expect(ensureAsteriskRoot()).rejects.toThrow('run them as root on Debian, or start a Docker engine')
  expect(existsSync(join(cache, 'runs'))).toBe(false)
  expect(existsSync(join(cache, nameOfRoot))).toBe(false)
})
