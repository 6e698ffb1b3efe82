/**
 * Measures one subject in a process of its own: `node main.js BENCH SUBJECT [SECONDS]`. Prints
 * operations per second of CPU time after a warm-up.
 */
import { type Operation, SUBJECTS } from './subjects.js'

const WARM_UP_MS = 700
const BATCH = 200

const sink: unknown[] = [undefined]

/**
 * Runs the operation for so much CPU time of this process, all threads counted: other programs on the
 * machine then matter little. Operations per second of it.
 */
function run(operation: Operation, forMs: number): number {
  const started = process.cpuUsage()
  let count = 0
  let elapsedMs = 0
  do {
    for (let i = 0; i < BATCH; i++) sink[0] = operation()
    count += BATCH
    const { user, system } = process.cpuUsage(started)
    elapsedMs = (user + system) / 1000
  } while (elapsedMs < forMs)
  return (count / elapsedMs) * 1000
}

const [bench = '', subject = '', seconds = '1'] = process.argv.slice(2)
const make = SUBJECTS[bench]?.[subject]
if (make === undefined) throw new Error(`no subject ${bench} ${subject}`)
const operation = await make()
run(operation, WARM_UP_MS)
console.log(run(operation, Number(seconds) * 1000))
