import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { startAsterisk } from '../harness/asterisk/index.js'
import { ctl, ensureInstalled, freshVhost, startRabbitMq } from '../harness/index.js'

const MAIN = 'dist/main.js'

/** A folder whose `asterisk` does not start: it is found before any other, so that the stand-in takes part on every machine. */
let programs: string
beforeAll(() => {
  programs = mkdtempSync(join(tmpdir(), 'patchbay-programs-'))
  writeFileSync(join(programs, 'asterisk'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
})
afterAll(() => rmSync(programs, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function start(env: Record<string, string>): { child: ChildProcess; seen(): string; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [MAIN, 'demo'], {
    env: {
      ...process.env,
      PATH: `${programs}${delimiter}${process.env.PATH}`,
      COLUMNS: '100',
      PATCHBAY_ARI_URL: '',
      ...env,
    },
  })
  const text = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    text.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    text.err += chunk.toString()
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }))
  return { child, seen: () => text.out, ended }
}

/** Process ids that the demo names, of its gateway, and whether they are still there. */
function gatewayRuns(out: string): boolean {
  const pid = Number(/process (\d+)/.exec(out)?.[1])
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('with programs of this machine the demo starts them, runs the gateway as a process and leaves nothing', async () => {
  await ensureInstalled()
  const { code, out, err } = await start({ PATCHBAY_AMQP_URL: '', PATCHBAY_NATS_URL: '' }).ended
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/RabbitMQ, started for this demo on port \d+\n/)
  expect(out).toMatch(/NATS, started for this demo on port \d+\n/)
  expect(out).toContain('a stand-in that plays a call recorded on Asterisk 22')
  expect(out).toMatch(/patchbay run -c patchbay\.yaml, process \d+\n/)
  expect(out).toMatch(/45 sent on, 1 dead letter, 0 lost/)
  expect(gatewayRuns(out)).toBe(false)
})

/** A broker whose queues and exchanges can be listed: the shared one, or where that cannot be looked into one of our own. */
async function inspectedRabbitMq() {
  const shared = inject('rabbitMqControl')
  if (shared !== null) return { control: shared, url: await freshVhost(inject('amqpUrl'), shared) }
  const { url, control, stop } = await startRabbitMq()
  onTestFinished(stop)
  return { control, url: await freshVhost(url, control) }
}

test('on given brokers the demo uses names of its own and takes them away', async () => {
  const { url, control } = await inspectedRabbitMq()
  const { code, out, err } = await start({ PATCHBAY_AMQP_URL: url, PATCHBAY_NATS_URL: inject('natsUrl') }).ended
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('(PATCHBAY_AMQP_URL)')
  expect(out).toMatch(/all names begin with patchbay-demo-[0-9a-f]{8}\./)
  expect(out).toMatch(/45 sent on, 1 dead letter, 0 lost/)
  const vhost = decodeURIComponent(new URL(url).pathname.slice(1))
  expect(await ctl(control, 'list_queues', '-p', vhost, 'name')).not.toContain('patchbay')
  const exchanges = await ctl(control, 'list_exchanges', '-p', vhost, 'name')
  expect(exchanges.split('\n').filter((name) => /patchbay|voice/.test(name))).toEqual([])
})

test('on a given Asterisk the demo makes a call of its own and leaves nothing', async () => {
  const asterisk = await startAsterisk({ systemName: '' })
  onTestFinished(() => asterisk.stop())
  const url = `http://${asterisk.user}:${asterisk.password}@127.0.0.1:${asterisk.httpPort}`
  const { code, out, err } = await start({ PATCHBAY_AMQP_URL: '', PATCHBAY_NATS_URL: '', PATCHBAY_ARI_URL: url }).ended
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain(`Asterisk at 127.0.0.1:${asterisk.httpPort} (PATCHBAY_ARI_URL)`)
  expect(out).not.toContain(asterisk.password)
  const act = out.slice(out.indexOf('7  A call on an Asterisk'), out.indexOf('8  Telephones'))
  for (const state of ['START', 'CALLING', 'ANSWERED', 'DESTROY']) expect(act).toContain(`state: "${state}"`)
  for (const state of ['EARLY', 'ACTIVE', 'HANGUP']) expect(act).toContain(`state: ${state}`)
  expect(act.match(/Event\.CDR/g)).toHaveLength(2)
  expect(out).toMatch(/1 dead letter, 0 lost/)
  for (const left of ['/channels', '/applications']) {
    await expect.poll(async () => (await asterisk.ari('GET', left)).body).toEqual([])
  }
})

test('interrupted, the demo stops what it started', async () => {
  const running = start({ PATCHBAY_AMQP_URL: '', PATCHBAY_NATS_URL: '' })
  await expect.poll(running.seen, { timeout: 30_000 }).toMatch(/process \d+/)
  running.child.kill('SIGINT')
  const { code, out, err } = await running.ended
  expect([code, err]).toEqual([1, 'error: ended by SIGINT\n'])
  expect(gatewayRuns(out)).toBe(false)
})
