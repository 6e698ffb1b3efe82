import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../src/cli/private-brokers/loopback.js'
import { ensureInstalled, startAsterisk, startNats, type TestAsterisk } from '../../test/harness/index.js'
import { profileFolder } from '../profile.js'
import { figure, summarize, told } from '../stats.js'
import { isReady, startPatchbay } from '../subject.js'
import { type Measured, placeCalls } from './load.js'
import { bareAri, controllerOf, type Steerer } from './steerer.js'

/** Name of the bench of commands to an Asterisk. */
export const STEERING_BENCH = 'steering'

const NODE = 'ast1'
const RATE = 100
const START_TIMEOUT_MS = 20_000
/** The first calls of a process are not like those that follow. */
const WARM_UP = 200
/** How long each rate of the climb is held, and how late answers may be. */
const CLIMB_S = 5
const LATEST_MS = 100
const STEP = 1.25
/** A rate was not tried where calls began slower than this share of it. */
const BEGUN_SHARE = 0.95
const FASTEST = 2000

interface Stage {
  readonly asterisk: TestAsterisk
  readonly ours: Steerer
  readonly bare: Steerer
}

async function onStage(nodeFlags: readonly string[], action: (stage: Stage) => Promise<void>): Promise<void> {
  await ensureInstalled()
  const [nats, asterisk] = await Promise.all([startNats(), startAsterisk()])
  const [adminPort = 0] = await freePorts(1)
  const gateway = startPatchbay(
    {
      group: 'bench',
      admin: { port: adminPort },
      log: { level: 'warn' },
      links: {
        bus: { type: 'nats', dialect: 'xcc', servers: [nats.url] },
        [NODE]: {
          type: 'ari',
          dialect: 'stasis',
          url: asterisk.url,
          username: asterisk.user,
          password: asterisk.password,
          app: asterisk.app,
          steer: {},
        },
      },
      routes: [{ from: NODE, to: 'bus' }],
    },
    nodeFlags,
  )
  try {
    const deadline = performance.now() + START_TIMEOUT_MS
    while (!(await isReady(adminPort))) {
      if (performance.now() > deadline) throw new Error(`the gateway was not ready after ${START_TIMEOUT_MS} ms`)
      await delay(100)
    }
    const [ours, bare] = await Promise.all([controllerOf(nats.url, NODE), bareAri(asterisk)])
    try {
      await action({ asterisk, ours, bare })
    } finally {
      await Promise.all([ours.close(), bare.close()])
    }
  } finally {
    await gateway.stop()
    await Promise.all([nats.stop(), asterisk.stop()])
  }
}

const medianOf = (values: readonly number[]) => summarize(values).median

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.POSITIVE_INFINITY
}

async function sure(measuring: Promise<Measured>): Promise<Measured> {
  const measured = await measuring
  if (measured.failed > 0) throw new Error(`${measured.failed} calls failed at ${RATE} calls a second`)
  return measured
}

const COMMANDS = [
  ['setvar', 'XNode.SetVar', 'setVar'],
  ['answer', 'XNode.Answer', 'answer'],
] as const

/** Time of commands at a steady rate, in turn with a plain ARI application of the same Asterisk. */
async function commandTimes({ asterisk, ours, bare }: Stage, rounds: number, calls: number): Promise<void> {
  const all: { readonly ours: Measured; readonly bare: Measured }[] = []
  for (const each of [ours, bare]) await sure(placeCalls(asterisk, each, WARM_UP, RATE))
  for (let round = 0; round < rounds; round++)
    all.push({
      ours: await sure(placeCalls(asterisk, ours, calls, RATE)),
      bare: await sure(placeCalls(asterisk, bare, calls, RATE)),
    })
  for (const [name, method, what] of COMMANDS) {
    const mine = summarize(all.map((round) => medianOf(round.ours[what])))
    const plain = summarize(all.map((round) => medianOf(round.bare[what])))
    const added = summarize(all.map((round) => medianOf(round.ours[what]) - medianOf(round.bare[what])))
    console.log(`  ${method}, ${RATE} calls/s, medians of ${calls} calls`)
    console.log(`    patchbay  ${told(mine, 'ms')}`)
    console.log(`    bare ARI  ${told(plain, 'ms')}; patchbay adds ${told(added, 'ms')}`)
    console.log(`ratio steering.${name} ${(plain.median / mine.median).toFixed(2)}`)
  }
}

/** Why a rate does not hold; undefined where it does. */
function shortfall({ answer, begunPerSecond, failed }: Measured, rate: number): string | undefined {
  const latest = percentile(answer, 0.99)
  const reasons = [
    ...(begunPerSecond < rate * BEGUN_SHARE ? [`only ${figure(begunPerSecond)} calls/s began`] : []),
    ...(latest > LATEST_MS ? [`99 of 100 were to be answered within ${LATEST_MS} ms`] : []),
    ...(failed > 0 ? [`${failed} calls failed`] : []),
  ]
  return reasons.length === 0 ? undefined : reasons.join(', ')
}

/** The fastest rate at which calls begin as asked, 99 of 100 answers come in time, and none is missing. */
async function climb(asterisk: TestAsterisk, steerer: Steerer, name: string): Promise<number> {
  let held = 0
  let stop = `no rate above ${FASTEST} calls/s is tried`
  for (let rate = RATE; rate < FASTEST; rate = Math.round(rate * STEP)) {
    const measured = await placeCalls(asterisk, steerer, rate * CLIMB_S, rate)
    const { answer, begunPerSecond } = measured
    console.log(
      `    ${name} ${rate} calls/s: ${figure(begunPerSecond)} began, 99 of 100 answered within ${figure(percentile(answer, 0.99))} ms`,
    )
    const reason = shortfall(measured, rate)
    if (reason !== undefined) {
      stop = `${rate} calls/s do not hold: ${reason}`
      break
    }
    held = rate
    await delay(1000)
  }
  console.log(`    ${name} stops at ${held} calls/s: ${stop}`)
  if (held === 0) throw new Error(`${name} does not hold ${RATE} calls a second: ${stop}`)
  return held
}

/** The whole gateway process and a plain ARI application, on private servers. */
export async function runSteering({
  rounds,
  calls,
}: {
  readonly rounds: number
  readonly calls: number
}): Promise<void> {
  await onStage([], async (stage) => {
    await commandTimes(stage, rounds, calls)
    console.log(`  new calls, each answered, given a variable and hung up; ${CLIMB_S} s at each rate`)
    const bare = await climb(stage.asterisk, stage.bare, 'bare ARI')
    await delay(2000)
    const ours = await climb(stage.asterisk, stage.ours, 'patchbay')
    console.log(`    sustained: patchbay ${ours}, bare ARI ${bare} calls/s`)
    console.log(`ratio steering.calls ${(ours / bare).toFixed(2)}`)
  })
}

/** Profiles the gateway process while calls come at the steady rate. */
export async function profileSteering(calls: number): Promise<void> {
  const folder = profileFolder()
  try {
    await onStage(folder.flags, async ({ asterisk, ours }) => void (await placeCalls(asterisk, ours, calls, RATE)))
    console.log(folder.table())
  } finally {
    folder.remove()
  }
}
