import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startPrivateAsterisk } from '../../src/cli/private-brokers/index.js'

/** Answers by the configuration files that an Asterisk would read, slowly ready as one is; says where they are. */
const OBEDIENT = `
const { createServer } = require('node:http')
const { dirname, join } = require('node:path')
const { readFileSync, statSync } = require('node:fs')
const folder = dirname(process.argv[process.argv.indexOf('-C') + 1])
const read = (name) => readFileSync(join(folder, name), 'utf8')
const value = (text, key) => new RegExp('^' + key + ' =>? (.*)$', 'm').exec(text)[1]
const http = read('http.conf')
const ari = read('ari.conf')
for (const key of ['astvarlibdir', 'astdbdir', 'astspooldir', 'astrundir', 'astlogdir']) statSync(value(read('asterisk.conf'), key))
const wanted = '/ari/asterisk/ping?api_key=' + /^\\[(demo)\\]$/m.exec(ari)[1] + ':' + value(ari, 'password')
let asked = 0
createServer((request, response) => {
  response.statusCode = ++asked < 3 ? 503 : request.url === wanted ? 200 : 401
  response.end(JSON.stringify({ folder, pid: process.pid, etc: value(read('asterisk.conf'), 'astetcdir'), asked }))
}).listen(Number(value(http, 'bindport')), value(http, 'bindaddr'))
`

function program(script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-program-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'asterisk')
  writeFileSync(path, `#!${process.execPath}\n${script}`)
  chmodSync(path, 0o755)
  return path
}

test('an asterisk is started on loopback with folders and a password of its own, and goes with them', async () => {
  const asterisk = await startPrivateAsterisk(program(OBEDIENT))
  expect(asterisk.url).toBe(`http://127.0.0.1:${asterisk.port}`)
  const ping = `${asterisk.url}/ari/asterisk/ping?api_key=${asterisk.username}:${asterisk.password}`
  const { folder, pid, etc, asked } = (await (await fetch(ping)).json()) as Record<string, string>
  expect([etc, Number(asked)]).toEqual([folder, 4])
  expect(dirname(folder!)).toBe(tmpdir())
  expect(readFileSync(join(folder!, 'modules.conf'), 'utf8')).toContain('autoload = no')
  await asterisk.stop()
  expect(existsSync(folder!)).toBe(false)
  expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
})

test('an asterisk that ends at once is told with what it printed', async () => {
  const failing = program("console.log('no module loads'); process.exit(1)")
  await expect(startPrivateAsterisk(failing)).rejects.toThrow(/^asterisk did not start: no module loads/)
})
