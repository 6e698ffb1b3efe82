import { expect, inject, test } from 'vitest'
import { freshVhost } from '../../harness/index.js'
import { soak } from './soak.js'

const WAYS = [
  { deliver: 'core', state: 'memory' },
  { deliver: 'jetstream', state: 'jetstream' },
] as const

/** Fifteen seconds show that the figures are there and that nothing is left behind, not how memory goes. */
test.each(WAYS)(
  'a short soak, deliver $deliver, state $state: figures, nothing lost, nothing left behind',
  async (way) => {
    const lines: string[] = []
    const amqpUrl = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
    const { sent, received, lost, why } = await soak({
      ...way,
      amqpUrl,
      perSecond: 100,
      lengthMs: 15_000,
      warmUpMs: 5000,
      lineEveryMs: 5000,
      print: (line) => lines.push(line),
    })
    const told = lines.join('\n')
    expect(sent, told).toBeGreaterThan(1000)
    expect([received, lost], told).toEqual([sent, 0])
    expect(
      why.filter((each) => !each.includes('grew')),
      told,
    ).toEqual([])
    expect(lines, told).toHaveLength(6)
    expect(lines[2]).toMatch(
      /^0\.2 min: sent \d+, received \d+, lost 0, behind \d+, heap \d+ MiB, resident \d+ MiB, \d+ handles, \d+ timers, \d+ listeners, \d+ subscriptions$/,
    )
  },
)
