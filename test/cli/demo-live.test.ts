import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, inject, test } from 'vitest'
import { ctl, ensureInstalled, freshVhost } from '../harness/index.js'

const MAIN = 'dist/main.js'

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function start(env: Record<string, string>): { child: ChildProcess; seen(): string; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [MAIN, 'demo'], { env: { ...process.env, COLUMNS: '100', ...env } })
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
  expect(out).toMatch(/patchbay run -c patchbay\.yaml, process \d+\n/)
  expect(out).toMatch(/15 sent on, 1 dead letter, 0 lost/)
  expect(gatewayRuns(out)).toBe(false)
})

test('on given brokers the demo uses names of its own and takes them away', async () => {
  const control = inject('rabbitMqControl')
  const url = await freshVhost(inject('amqpUrl'), control)
  const { code, out, err } = await start({ PATCHBAY_AMQP_URL: url, PATCHBAY_NATS_URL: inject('natsUrl') }).ended
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('(PATCHBAY_AMQP_URL)')
  expect(out).toMatch(/all names begin with patchbay-demo-[0-9a-f]{8}\./)
  expect(out).toMatch(/15 sent on, 1 dead letter, 0 lost/)
  if (control === null) return
  const vhost = decodeURIComponent(new URL(url).pathname.slice(1))
  expect(await ctl(control, 'list_queues', '-p', vhost, 'name')).not.toContain('patchbay')
  const exchanges = await ctl(control, 'list_exchanges', '-p', vhost, 'name')
  expect(exchanges.split('\n').filter((name) => /patchbay|voice/.test(name))).toEqual([])
})

test('interrupted, the demo stops what it started', async () => {
  const running = start({ PATCHBAY_AMQP_URL: '', PATCHBAY_NATS_URL: '' })
  await expect.poll(running.seen, { timeout: 30_000 }).toMatch(/process \d+/)
  running.child.kill('SIGINT')
  const { code, out, err } = await running.ended
  expect([code, err]).toEqual([1, 'error: ended by SIGINT\n'])
  expect(gatewayRuns(out)).toBe(false)
})
