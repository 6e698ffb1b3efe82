/**
 * Side-by-side benches: `npm run bench [-- [NAME…] [--rounds=N] [--messages=N] [--calls=N] [--profile]]`.
 *
 * NAME        ruby-yaml.parse, ruby-yaml.stringify, voice-events-to-xcc, stasis-to-xcc, gateway.amqp-to-nats, steering, footprint. Default: all.
 * --rounds    how often each side is measured, in turn. Default 7.
 * --messages  messages of a gateway's round. Default 40000.
 * --calls     calls of a steering round. Default 1000.
 * --profile   instead of measuring, tell where our side spends its time.
 *
 * Every comparison ends in a line `ratio NAME VALUE`; `footprint` compares nothing.
 */
import { parseArgs } from 'node:util'
import { FOOTPRINT_BENCH, runFootprint } from './footprint/bench.js'
import { GATEWAY_BENCH, profileGateway, runGateway } from './gateway/bench.js'
import { MICRO_BENCHES, profileMicro, runMicro } from './micro/bench.js'
import { runScript } from './process.js'
import { profileSteering, runSteering, STEERING_BENCH } from './steering/bench.js'

const NAMES: readonly string[] = [...MICRO_BENCHES, GATEWAY_BENCH, STEERING_BENCH, FOOTPRINT_BENCH]

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '7' },
    messages: { type: 'string', default: '40000' },
    calls: { type: 'string', default: '1000' },
    profile: { type: 'boolean', default: false },
    young: { type: 'string' },
  },
})
const strangers = positionals.filter((name) => !NAMES.includes(name))
if (strangers.length > 0) throw new Error(`no bench ${strangers.join(', ')}; there are ${NAMES.join(', ')}`)
const chosen = positionals.length === 0 ? NAMES : positionals
const rounds = Number(values.rounds)
const messages = Number(values.messages)
const calls = Number(values.calls)
const nodeFlags = values.young === undefined ? [] : [`--max-semi-space-size=${Number(values.young)}`]

await runScript(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.bench.json'])
for (const name of chosen) {
  console.log(name)
  const micro = MICRO_BENCHES.find((each) => each === name)
  if (name === FOOTPRINT_BENCH) await runFootprint(rounds, nodeFlags)
  else if (micro !== undefined) await (values.profile ? profileMicro(micro) : runMicro(micro, rounds))
  else if (name === GATEWAY_BENCH)
    await (values.profile ? profileGateway(messages) : runGateway({ rounds, messages, nodeFlags }))
  else await (values.profile ? profileSteering(calls) : runSteering({ rounds, calls }))
}
