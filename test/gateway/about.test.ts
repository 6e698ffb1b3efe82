import { expect, test } from 'vitest'
import { aboutOf } from '../../src/gateway/about.js'
import type { Fact } from '../../src/model/index.js'

const leg = (id: string, call?: string): Fact => ({ kind: 'channel', id, ...(call !== undefined && { call }) })

const cases: { name: string; facts: Fact[]; want: object }[] = [
  { name: 'one channel, told of twice', facts: [leg('a', 'c'), leg('a')], want: { channel: 'a', call: 'c' } },
  { name: 'two channels of a call', facts: [leg('a', 'c'), leg('b', 'c')], want: { channels: ['a', 'b'], call: 'c' } },
  { name: 'channels of two calls', facts: [leg('a', 'c'), leg('b', 'd')], want: { channels: ['a', 'b'] } },
  { name: 'what happens on a channel', facts: [{ kind: 'dtmf', channel: 'a', digit: '1' }], want: { channel: 'a' } },
  { name: 'no channel', facts: [{ kind: 'terminal', serial: '5001', number: '1001' }], want: {} },
]
test.each(cases)('$name', ({ facts, want }) => expect(aboutOf(facts)).toEqual(want))

test('of many, and of long ones, a part', () => {
  const many = Array.from({ length: 1000 }, (_, at) => leg(`${at}`))
  expect(aboutOf(many).channels).toHaveLength(16)
  expect(aboutOf([leg('x'.repeat(1000))]).channel).toHaveLength(256)
})
