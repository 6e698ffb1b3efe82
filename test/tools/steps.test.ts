import { expect, test } from 'vitest'
import { runNode, runSteps, type Step, verdict } from './steps.js'
import { readReport } from './vitest-step.js'

const passes: Step = { name: 'good', run: () => verdict([]) }
const fails: Step = { name: 'bad', run: () => verdict(['a fault', 'another']) }
const throws: Step = {
  name: 'broken',
  run: () => {
    throw new Error('no such file')
  },
}
const counts: Step = { name: 'many', run: () => ({ passed: 5, failed: 2, output: '' }) }

const runs = [
  { name: 'all pass', steps: [passes, passes], last: '2 passed, 0 failed', code: 0 },
  { name: 'one fails and the others still run', steps: [fails, passes], last: '1 passed, 1 failed', code: 1 },
  { name: 'one throws', steps: [throws, passes], last: '1 passed, 1 failed', code: 1 },
  { name: 'a step counts several', steps: [passes, counts], last: '6 passed, 2 failed', code: 1 },
  { name: 'what the others need fails', steps: [fails, passes], needs: ['bad'], last: '0 passed, 1 failed', code: 1 },
  { name: 'nothing was run', steps: [], last: '0 passed, 0 failed', code: 1 },
]
for (const { name, steps, needs, last, code } of runs) {
  test(`steps: ${name}`, async () => {
    const lines: string[] = []
    expect(await runSteps(steps, needs, (line) => lines.push(line))).toBe(code)
    expect(lines.at(-1)).toBe(last)
    if (steps.includes(fails)) expect(lines).toContain('  a fault\n  another')
  })
}

const LONG_MS = 20_000
const scripts = [
  { name: 'one that ends well', code: '', timeoutMs: LONG_MS, want: /^$/ },
  {
    name: 'one that fails, with what it printed',
    code: "console.log('why'); process.exit(3)",
    timeoutMs: LONG_MS,
    want: /why\nexit code 3/,
  },
  { name: 'one that never ends', code: 'setInterval(() => {}, 1000)', timeoutMs: 500, want: /killed after 500 ms/ },
]
for (const { name, code, timeoutMs, want } of scripts) {
  test(`a script is run: ${name}`, async () => {
    const { output, failed } = await runNode(['-e', code], { timeoutMs })
    expect(output).toMatch(want)
    expect(failed).toBe(output === '' ? 0 : 1)
  })
}

const clean = verdict([])
const broken = verdict(['exit code 1'])
const report = { success: true, numPassedTests: 4, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 }
const reports = [
  { name: 'all passed', report, ending: clean, want: [4, 0] },
  { name: 'some failed', report: { ...report, success: false, numFailedTests: 2 }, ending: broken, want: [4, 2] },
  { name: 'skipped ones count as failed', report: { ...report, numPendingTests: 3 }, ending: clean, want: [4, 3] },
  {
    name: 'a failure outside of the tests counts',
    report: { ...report, success: false },
    ending: broken,
    want: [4, 1],
  },
  { name: 'no report at all', report: undefined, ending: broken, want: [0, 1] },
]
for (const { name, report, ending, want } of reports) {
  test(`vitest's report: ${name}`, () => {
    const { passed, failed } = readReport(report && JSON.stringify(report), ending)
    expect([passed, failed]).toEqual(want)
  })
}

test("vitest's report: what failed is named, a line each and the first dozen of them", () => {
  const failure = (at: number) => ({
    status: 'failed',
    fullName: `case ${at}`,
    failureMessages: [`Error: wrong ${at}\n    at somewhere`],
  })
  const assertionResults = [
    { status: 'passed', fullName: 'fine', failureMessages: [] },
    ...Array.from({ length: 14 }, (_, at) => failure(at)),
  ]
  const testResults = [{ name: `${process.cwd()}/test/x.test.ts`, assertionResults }]
  const json = JSON.stringify({ ...report, success: false, numFailedTests: 14, testResults })
  const lines = readReport(json, broken).output.split('\n')
  expect(lines).toHaveLength(13)
  expect(lines[0]).toBe('test/x.test.ts: case 0: Error: wrong 0')
  expect(lines.at(-1)).toBe('and 2 more')
})
