import type { Channel, Message } from 'amqplib'
import { describe, expect, test } from 'vitest'
import { ackLedger } from '../../src/transports/amqp/ack-ledger.js'

/** What a channel is told when deliveries with tags 1 to `count` are settled in some order. */
function acknowledged(count: number, settled: readonly number[]): string[] {
  const told: string[] = []
  const channel = {
    ack: ({ fields }: Message, upTo = false) => void told.push(`${upTo ? '<=' : ''}${fields.deliveryTag}`),
  } as unknown as Channel // the only method a ledger uses here
  const ledger = ackLedger(channel, () => undefined)
  const messages = Array.from({ length: count }, (_, at) => ({ fields: { deliveryTag: at + 1 } }) as Message)
  for (const message of messages) ledger.open(message)
  for (const tag of settled) ledger.settle(messages[tag - 1]!, 'done')
  ledger.flush()
  return told
}

describe('acknowledgements', () => {
  const cases = [
    { name: 'in order: one for all', count: 5, settled: [1, 2, 3, 4], told: ['<=4'] },
    { name: 'an elder is open: by themselves', count: 4, settled: [3, 4], told: ['3', '4'] },
    { name: 'an elder is open in between', count: 5, settled: [1, 2, 4], told: ['<=2', '4'] },
    { name: 'an elder settled later is not told earlier', count: 5, settled: [1, 5, 2], told: ['<=1', '5', '<=2'] },
    { name: 'backwards', count: 3, settled: [3, 2, 1], told: ['3', '2', '<=1'] },
    { name: 'a gap closed', count: 4, settled: [2, 1, 3, 4], told: ['2', '<=4'] },
  ]
  for (const { name, count, settled, told } of cases) {
    test(name, () => expect(acknowledged(count, settled)).toEqual(told))
  }
})
