import { runScript } from '../process.js'
import { type ProfileFolder, profileFolder } from '../profile.js'
import { compare, figure, summarize, told } from '../stats.js'
import type { SUBJECTS } from './subjects.js'

const MAIN = '.cache/bench/bench/micro/main.js'
const YARDSTICKS = ['js-yaml-4', 'js-yaml-5'] as const

/** Benches of single operations. */
export const MICRO_BENCHES = [
  'ruby-yaml.parse',
  'ruby-yaml.stringify',
  'voice-events-to-xcc',
] as const satisfies (keyof typeof SUBJECTS)[]

const measure = async (bench: string, subject: string) => Number(await runScript([MAIN, bench, subject]))

/** Measures ours and both js-yaml in turn, each time in a new process; prints medians and the ratio. */
export async function runMicro(bench: string, rounds: number): Promise<void> {
  const subjects = ['patchbay', ...YARDSTICKS]
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
