import { expect, test } from 'vitest'
import { runScenarios } from './runner.js'
import type { Outcome, Scenario } from './scenario.js'

const OUTCOME: Outcome = {
  lengthMs: 31_440,
  sent: 6000,
  received: 6000,
  duplicates: 12,
  lost: 0,
  outOfOrder: 0,
  longestGapMs: 20_050,
  held: true,
}

const scenario = (name: string, isShort: boolean, run: Scenario['run']): Scenario => ({ name, isShort, run })

async function printed(isShort: boolean, scenarios: readonly Scenario[]) {
  const lines: string[] = []
  const told: string[] = []
  const results = await runScenarios(scenarios, {
    isShort,
    print: (line) => lines.push(line),
    say: (line) => told.push(line),
  })
  return { lines, told, held: results.map(({ held }) => held) }
}

test('a row for each, what broke and what is noted below it, and the count at the end', async () => {
  const { lines, told, held } = await printed(false, [
    scenario('link-cut', true, async (report) => {
      report.say('cut')
      return { ...OUTCOME, notes: ['memory 130 MiB'] }
    }),
    scenario('node-killed', false, async () => ({
      ...OUTCOME,
      received: 5999,
      lost: 1,
      held: false,
      why: ['lost: a #1'],
    })),
  ])
  expect(lines).toEqual([
    'scenario     length    sent received duplicates  lost longest gap held',
    'link-cut     31.4 s    6000     6000         12     0      20.1 s  yes',
    '  memory 130 MiB',
    'node-killed  31.4 s    6000     5999         12     1      20.1 s   NO',
    '  lost: a #1',
    '2 scenarios, 1 held, 1 broke',
  ])
  expect(told).toEqual(['link-cut: cut'])
  expect(held).toEqual([true, false])
})

test('an error is a scenario that broke, is shown, and the others run', async () => {
  const { lines, held } = await printed(false, [
    scenario('fails', true, () => Promise.reject(new Error('no such node'))),
    scenario('holds', true, () => Promise.resolve(OUTCOME)),
  ])
  expect(lines[1]).toBe('fails          -       -        -          -     -           -   NO')
  expect(lines[2]).toBe('  Error: no such node')
  expect(lines.at(-1)).toBe('2 scenarios, 1 held, 1 broke')
  expect(held).toEqual([false, true])
})

test('the short run leaves out what has no short form, and says so to the others', async () => {
  const asked: boolean[] = []
  const run: Scenario['run'] = async ({ isShort }) => {
    asked.push(isShort)
    return OUTCOME
  }
  const { lines } = await printed(true, [scenario('soak', false, run), scenario('link-cut', true, run)])
  expect(asked).toEqual([true])
  expect(lines.at(-1)).toBe('1 scenarios, 1 held, 0 broke')
})
