import { expect, inject, test } from 'vitest'
import { SCENARIOS } from './scenarios/index.js'
import { runScenarios } from './scenarios/runner.js'

/** One fault, so that the frame of `npm run faults` is run by every test run. */
const NAMES: readonly string[] = ['nats-link-stalled']
const MINUTES_MS = 2 * 60_000

test('scenarios hold in their short form', { timeout: MINUTES_MS }, async () => {
  const lines: string[] = []
  const control = inject('rabbitMqControl')
  const rabbitMq = control === null ? undefined : { url: inject('amqpUrl'), control }
  const results = await runScenarios(
    SCENARIOS.filter(({ name }) => NAMES.includes(name)),
    { isShort: true, print: (line) => lines.push(line), say: () => undefined, rabbitMq },
  )
  expect(lines.at(-1), lines.join('\n')).toBe('1 scenarios, 1 held, 0 broke')
  for (const result of results) {
    const { sent, received, longestGapMs } = 'outcome' in result ? result.outcome : expect.fail(result.name)
    expect(received, result.name).toBe(sent)
    expect(sent, result.name).toBeGreaterThan(200)
    expect(longestGapMs, result.name).toBeGreaterThan(1000) // the fault was felt
  }
})
