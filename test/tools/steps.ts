import { spawn } from 'node:child_process'

/** What became of a step. `output` is shown when something failed. */
export interface StepResult {
  readonly passed: number
  readonly failed: number
  readonly output: string
}

/** One step of a run. */
export interface Step {
  readonly name: string
  run(): Promise<StepResult> | StepResult
}

/** How a program is run. */
export interface ProgramOptions {
  /** Time after which it is killed, milliseconds. Default 120000. */
  readonly timeoutMs?: number
  /** Show its output while it runs. Default false: it is collected. */
  readonly live?: boolean
}

/** A result that counts as one: no faults, or these. */
export function verdict(faults: readonly string[]): StepResult {
  return faults.length === 0
    ? { passed: 1, failed: 0, output: '' }
    : { passed: 0, failed: 1, output: faults.join('\n') }
}

/** Runs a script with this Node, `args[0]` being its path. Exit code 0 passes. */
export async function runNode(args: readonly string[], options: ProgramOptions = {}): Promise<StepResult> {
  const { timeoutMs = 120_000, live = false } = options
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
  })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => void chunks.push(chunk))
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, timeoutMs)
  const ending = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(code === 0 ? '' : `exit code ${code ?? signal}`))
  })
  clearTimeout(timer)
  if (ending === '') return verdict([])
  const output = Buffer.concat(chunks).toString().trimEnd()
  return verdict([...(output === '' ? [] : [output]), late ? `killed after ${timeoutMs} ms` : ending])
}

async function runStep(step: Step): Promise<StepResult> {
  try {
    return await step.run()
  } catch (error) {
    return verdict([error instanceof Error ? (error.stack ?? error.message) : String(error)])
  }
}

/**
 * Runs the steps in turn, all of them, each a line with its time, and ends with
 * `N passed, N failed`. Answers the exit code. A step that is named in `needs` and fails ends the run.
 */
export async function runSteps(
  steps: readonly Step[],
  needs: readonly string[] = [],
  tell: (line: string) => void = console.log,
): Promise<number> {
  let passed = 0
  let failed = 0
  for (const step of steps) {
    const started = performance.now()
    const result = await runStep(step)
    passed += result.passed
    failed += result.failed
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    const ok = result.failed === 0
    tell(`${ok ? 'ok    ' : 'FAILED'} ${step.name} (${seconds} s)`)
    if (!ok && result.output !== '') tell(result.output.replace(/^/gm, '  '))
    if (!ok && needs.includes(step.name)) {
      tell(`nothing else was run, for it needs: ${step.name}`)
      break
    }
  }
  tell(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}
