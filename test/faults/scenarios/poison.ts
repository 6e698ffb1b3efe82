import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConfirmChannel, connect } from 'amqplib'
import { patchbay } from '../../cli/run.js'
import { freshVhost, startNats } from '../../harness/index.js'
import { type Counter, countArrivals } from '../controller.js'
import { configText, type GatewayProcess, runGateway } from '../gateway-process.js'
import { callState } from '../legacy-load.js'
import type { LegacyMessage } from '../legacy-publisher.js'
import { AS_SHIPPED, MENDED, poisoned, SITE_FILE, WITH_SITE_FILE } from '../poisoned.js'
import { firstOf } from './counted.js'
import type { Outcome, Report, Scenario } from './scenario.js'

/** Messages of each kind, and good ones before, so that the gateway is warm. */
const MANY = { all: 10_000, warm: 5_000 }
const FEW = { all: 1_000, warm: 1_000 }
/** Poison is to be put aside at least this fast, beside good traffic of the same run. */
const LEAST_RATIO = 0.5
/** In which a mended mapping has to hold. Milliseconds. */
const RELOAD_MS = 2000
const PATIENCE_MS = 120_000
const DEAD_LETTERS = 'patchbay.dead-letters'

const configuration = (amqpUrl: string, natsUrl: string) => `
group: gw
${WITH_SITE_FILE}
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}' }
  bus: { type: nats, dialect: xcc, servers: ['${natsUrl}'], deliver: core }
routes:
  - { from: legacy, to: bus }
`

interface Bench {
  readonly legacy: ConfirmChannel
  readonly counter: Counter
  readonly gateway: GatewayProcess
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s`)
    await delay(20)
  }
}

/** Publishes one state of each of `count` calls at once; answers how long it took until `isThrough`. Milliseconds. */
async function timed(
  { legacy }: Bench,
  what: string,
  count: number,
  make: (at: number) => LegacyMessage,
  isThrough: () => boolean | Promise<boolean>,
): Promise<number> {
  const startedAt = performance.now()
  for (let at = 0; at < count; at++) {
    const { exchange, key, body } = make(at)
    legacy.publish(exchange, key, Buffer.from(body), { persistent: true, messageId: `${what}-${at}` })
  }
  await legacy.waitForConfirms()
  await until(what, isThrough)
  return performance.now() - startedAt
}

const eachOnce = (name: string, count: number): [string, number][] =>
  Array.from({ length: count }, (_, at) => [`${name}-${at}`, 1])

async function carryOut(report: Report, bench: Bench, yaml: string): Promise<Outcome> {
  const { legacy, counter, gateway } = bench
  const { arrivals } = counter
  const { all, warm } = report.isShort ? FEW : MANY
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-poison-'))
  const config = join(folder, 'patchbay.yaml')
  writeFileSync(config, configText(yaml))
  const dlq = async (...args: readonly string[]) => (await patchbay(['dlq', ...args, '-c', config])).out.toString()
  try {
    const startedAt = performance.now()
    const good = (name: string) => (at: number) => callState(`${name}-${at}`, 'RINGING', 0)
    await timed(bench, 'warm', warm, good('warm'), () => arrivals.received() >= warm)
    const goodMs = await timed(bench, 'good', all, good('good'), () => arrivals.received() >= warm + all)
    report.say(`${all} good messages in ${Math.round(goodMs)} ms`)
    const isAside = async () => (await legacy.checkQueue(DEAD_LETTERS)).messageCount >= all
    const poisonMs = await timed(bench, 'poison', all, (at) => poisoned(`poison-${at}`, 'RINGING', 0), isAside)
    report.say(`${all} poison messages put aside in ${Math.round(poisonMs)} ms`)
    const ratio = goodMs / poisonMs
    const summary = await dlq('ls', '--summary')
    const mendedAt = performance.now()
    gateway.write({ [SITE_FILE]: MENDED })
    const applied = async () => (await gateway.metric('gateway_reloads_total', { outcome: 'applied' })) === 1
    await until('the mended mapping holds', applied)
    const reloadMs = performance.now() - mendedAt
    const replayed = (await dlq('replay', '--all')).trim()
    report.say(`mended within ${Math.round(reloadMs)} ms; ${replayed}`)
    await until('what was replayed arrives', () => arrivals.received() >= warm + 2 * all)
    const sent = new Map([...eachOnce('warm', warm), ...eachOnce('good', all), ...eachOnce('poison', all)])
    const missing = arrivals.missing(sent)
    const left = (await legacy.checkQueue(DEAD_LETTERS)).messageCount
    const counted = await gateway.metric('gateway_dead_letter_messages_total', { link: 'legacy' })
    const why = [
      ...firstOf('lost', missing),
      ...firstOf('out of order', arrivals.outOfOrder()),
      ...(summary.includes(`${all} dead letters`) ? [] : [`dlq ls says: ${summary.trim()}`]),
      ...(replayed === `${all} dead letters sent again` ? [] : [`dlq replay says: ${replayed}`]),
      ...(left === 0 ? [] : [`${left} dead letters stay`]),
      ...(counted === all ? [] : [`${counted} dead letters by the metric, and ${all} there were`]),
      ...(reloadMs <= RELOAD_MS ? [] : [`the mended mapping held after ${Math.round(reloadMs)} ms`]),
      // A short form is too short to time.
      ...(report.isShort || ratio >= LEAST_RATIO ? [] : [`poison is taken at ${ratio.toFixed(2)} of good traffic`]),
    ]
    return {
      lengthMs: performance.now() - startedAt,
      sent: warm + 2 * all,
      received: arrivals.received(),
      duplicates: arrivals.duplicates(),
      lost: missing.length,
      outOfOrder: arrivals.outOfOrder().length,
      longestGapMs: arrivals.longestGapMs(),
      held: why.length === 0,
      why,
      notes: [
        `poison put aside at ${ratio.toFixed(2)} of the rate of good traffic (${Math.round((all / goodMs) * 1000)} good messages a second)`,
        `mended mapping in force after ${Math.round(reloadMs)} ms; ${replayed}`,
      ],
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function run(report: Report): Promise<Outcome> {
  const rabbitMq = await report.sharedRabbitMq()
  const [amqpUrl, nats] = await Promise.all([freshVhost(rabbitMq.url, rabbitMq.control), startNats()])
  const yaml = configuration(amqpUrl, nats.url)
  const gateway = await runGateway(yaml, [], { [SITE_FILE]: AS_SHIPPED })
  const model = await connect(amqpUrl)
  const counter = await countArrivals(nats.url)
  try {
    await gateway.untilReady()
    return await carryOut(report, { legacy: await model.createConfirmChannel(), counter, gateway }, yaml)
  } finally {
    await counter.close()
    await model.close()
    await gateway.remove()
    await nats.stop()
  }
}

/** Messages that no rule reads, put aside and sent again once the mapping is mended. */
export const POISON_SCENARIOS: readonly Scenario[] = [{ name: 'poison-messages', isShort: true, run }]
