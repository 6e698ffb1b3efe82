/**
 * What a gateway holds while it carries a steady load for long: `npm run soak [-- --minutes=20] [--warmup=5] [--rate=2000]
 * [--deliver=core|jetstream] [--state=memory|jetstream]`.
 *
 * A line each minute. The last line is `held`, or `broke: why`; the exit code is 1 when it broke. After the warm-up the
 * heap, after a forced collection, may grow by less than 5 %, and resident memory by less than 10 %. What ended calls
 * leave behind on purpose is full after 250 s at 2000 events a second, so a shorter warm-up shows it as growth.
 */
import { parseArgs } from 'node:util'
import { ensureInstalled, startRabbitMq } from '../harness/index.js'
import { soak } from './soak/soak.js'

const MINUTE_MS = 60_000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    warmup: { type: 'string', default: '5' },
    rate: { type: 'string', default: '2000' },
    deliver: { type: 'string', default: 'core' },
    state: { type: 'string', default: 'memory' },
  },
})

function number(name: 'minutes' | 'warmup' | 'rate'): number {
  const value = Number(values[name])
  if (!(value > 0)) throw new Error(`--${name}=${values[name]} is not a number above 0`)
  return value
}

function oneOf<T extends string>(name: 'deliver' | 'state', ...words: T[]): T {
  const word = words.find((each) => each === values[name])
  if (word === undefined) throw new Error(`--${name}=${values[name]}; want ${words.join(' or ')}`)
  return word
}

const settings = {
  lengthMs: number('minutes') * MINUTE_MS,
  warmUpMs: number('warmup') * MINUTE_MS,
  perSecond: number('rate'),
  deliver: oneOf('deliver', 'core', 'jetstream'),
  state: oneOf('state', 'memory', 'jetstream'),
}
if (settings.warmUpMs >= settings.lengthMs) throw new Error('the warm-up has to end before the soak does')

await ensureInstalled()
const rabbitMq = await startRabbitMq()
try {
  const print = (line: string) => void process.stdout.write(`${line}\n`)
  const { why } = await soak({ ...settings, amqpUrl: rabbitMq.url, lineEveryMs: MINUTE_MS, print })
  print(why.length === 0 ? 'held' : `broke: ${why.join('; ')}`)
  process.exitCode = why.length === 0 ? 0 : 1
} finally {
  await rabbitMq.stop()
}
