import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { scanLogs } from './log-scan.js'

const SECRET = 'hush-hush "quoted" 4711'
const PEM_LINE = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-scan-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function scan(logs: readonly string[], secrets: readonly string[] = [SECRET]) {
  if (logs.length > 0) writeFileSync(join(folder, '1.log'), logs.map((line) => `${line}\n`).join(''))
  if (secrets.length > 0) {
    writeFileSync(join(folder, '1.secrets'), secrets.map((secret) => `${JSON.stringify(secret)}\n`).join(''))
  }
  const told: string[] = []
  return { ...scanLogs(folder, (line) => told.push(line)), told }
}

const leaks: { name: string; line: string }[] = [
  { name: 'as it is', line: `password is ${SECRET}.` },
  { name: 'in JSON', line: JSON.stringify({ password: SECRET }) },
  { name: 'in a URL', line: `amqp://user:${encodeURIComponent(SECRET)}@host` },
  ...['', 'u:', 'me:', 'user:'].map((user) => ({
    name: `in Base64 behind ${user.length} characters`,
    line: `Basic ${Buffer.from(`${user}${SECRET} and more`).toString('base64')}`,
  })),
]
test.each(leaks)('a secret is found $name', ({ line }) => {
  const { failed, output } = scan(['first', line, 'last'])
  expect(failed).toBe(1)
  expect(output).toContain('1.log:2: holds secret number 1')
  expect(output).not.toContain('hush')
})

test('a line of a key is found', () => {
  const key = `-----BEGIN PRIVATE KEY-----\n${PEM_LINE}\nQg==\n-----END PRIVATE KEY-----\n`
  expect(scan([`x ${PEM_LINE} y`], [key]).output).toContain('1.log:1: holds secret number 1')
})

test('logs without secrets pass, and how much was looked at is told', () => {
  const { failed, told } = scan(['one', 'two -----BEGIN'], [SECRET, 'another secret'])
  expect(failed).toBe(0)
  expect(told).toEqual(['2 lines of logs were looked through for 2 secrets'])
})

test('what is too short to be unmistakable is not looked for', () => {
  expect(scan(['guest'], ['guest']).output).toContain('no secret was noted')
})

const empty = [
  { name: 'no logs', logs: [], secrets: [SECRET], why: /no gateway logged anything/ },
  { name: 'no secrets', logs: ['a line'], secrets: [], why: /no secret was noted/ },
]
test.each(empty)('where there are $name nothing is known, and it fails', ({ logs, secrets, why }) => {
  const { failed, output } = scan(logs, secrets)
  expect(failed).toBe(1)
  expect(output).toMatch(why)
})
