/**
 * Measures one subject in a process of its own: `node main.js BENCH SUBJECT [SECONDS]`. Prints
 * operations per second after a warm-up.
 */
import { type Operation, SUBJECTS } from './subjects.js'

const WARM_UP_MS = 700
const BATCH = 50

const sink: unknown[] = [undefined]

/** Runs the operation for at least so long. Operations per second. */
function run(operation: Operation, forMs: number): number {
  const started = performance.now()
  let count = 0
  let elapsed = 0
  do {
    for (let i = 0; i < BATCH; i++) sink[0] = operation()
    count += BATCH
    elapsed = performance.now() - started
  } while (elapsed < forMs)
  return (count / elapsed) * 1000
}

const [bench = '', subject = '', seconds = '1'] = process.argv.slice(2)
const make = SUBJECTS[bench]?.[subject]
if (make === undefined) throw new Error(`no subject ${bench} ${subject}`)
const operation = await make()
run(operation, WARM_UP_MS)
console.log(run(operation, Number(seconds) * 1000))
