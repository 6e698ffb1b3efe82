import { runScript } from '../process.js'
import { type ProfileFolder, profileFolder } from '../profile.js'
import { compare, figure, summarize, told } from '../stats.js'

const MAIN = '.cache/bench/bench/micro/main.js'
const JS_YAML = ['js-yaml-4', 'js-yaml-5']

/** What each bench of a single operation is measured against. */
const YARDSTICKS = {
  'ruby-yaml.parse': JS_YAML,
  'ruby-yaml.stringify': JS_YAML,
  'voice-events-to-xcc': JS_YAML,
  'stasis-to-xcc': ['JSON.parse and JSON.stringify'],
} as const satisfies Record<string, readonly string[]>

/** Benches of single operations. */
export const MICRO_BENCHES = Object.keys(YARDSTICKS) as (keyof typeof YARDSTICKS)[] // its own keys

const measure = async (bench: string, subject: string) => Number(await runScript([MAIN, bench, subject]))

/** Measures ours and the yardsticks in turn, each time in a new process; prints medians and the ratio. */
export async function runMicro(bench: keyof typeof YARDSTICKS, rounds: number): Promise<void> {
  const subjects = ['patchbay', ...YARDSTICKS[bench]]
  const values = new Map<string, number[]>(subjects.map((subject) => [subject, []]))
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) values.get(subject)!.push(await measure(bench, subject))
  }
  for (const [subject, each] of values)
    console.log(`  ${subject.padEnd(10)} ${told(summarize(each), 'operations per CPU second')}`)
  const ours = values.get('patchbay')!
  values.delete('patchbay')
  const { against, ratio } = compare(ours, values)
  console.log(`  against ${against}, ${figure(ratio.least)}–${figure(ratio.most)} in ${rounds} rounds`)
  console.log(`ratio ${bench} ${ratio.median.toFixed(2)}`)
}

/** Profiles our side of a bench and prints where the time goes. */
export async function profileMicro(bench: string): Promise<void> {
  const folder: ProfileFolder = profileFolder()
  try {
    await runScript([...folder.flags, MAIN, bench, 'patchbay', '5'])
    console.log(folder.table())
  } finally {
    folder.remove()
  }
}
