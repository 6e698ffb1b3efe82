import { expect, test } from 'vitest'
import { earId } from '../../../src/calls/xnode/ears.js'
import { makeFigures } from '../../../src/calls/xnode/figures.js'
import { listenerId } from '../../../src/calls/xnode/record-request.js'
import type { ChannelFact } from '../../../src/model/index.js'

function counting() {
  let now = 1_000_000
  const figures = makeFigures(() => now)
  const tell = (id: string, fact: Partial<ChannelFact>) => figures.note({ kind: 'channel', id, ...fact })
  return {
    counted: figures.counted,
    pass: (seconds: number) => (now += seconds * 1000),
    begin: (id: string, more: Partial<ChannelFact> = {}) => tell(id, { flags: { controllable: true }, ...more }),
    end: (id: string) => tell(id, { state: 'ended' }),
  }
}

test('calls are counted once each, whatever is told of them', () => {
  const { begin, end, counted } = counting()
  begin('a')
  begin('a')
  begin('b', { flags: { controllable: false } })
  expect(counted()).toMatchObject({ active: 1, total: 1, peak: 1 })
  end('a')
  end('a')
  end('nobody')
  expect(counted()).toMatchObject({ active: 0, total: 1, peak: 1 })
})

test('channels of our own are no calls', () => {
  const { begin, counted } = counting()
  for (const id of [earId('x'), listenerId('a', 'x.wav')]) begin(id)
  expect(counted()).toMatchObject({ active: 0, total: 0, peak: 0 })
})

test('what a full picture lists is up, and did not begin now', () => {
  const { begin, counted } = counting()
  begin('old', { full: true })
  expect(counted()).toMatchObject({ active: 1, total: 0, peak: 1, ratePeak: 0 })
})

test('peaks of five minutes pass, those of all times stay', () => {
  const { begin, end, pass, counted } = counting()
  for (const id of ['a', 'b', 'c']) begin(id)
  expect(counted()).toMatchObject({ rate: 0, ratePeak: 3 })
  pass(1)
  expect(counted()).toMatchObject({ rate: 3, ratePeak5Min: 3 })
  for (const id of ['a', 'b', 'c']) end(id)
  pass(1)
  expect(counted()).toMatchObject({ rate: 0, peak5Min: 3 })
  pass(299)
  expect(counted()).toMatchObject({ active: 0, total: 3, peak: 3, peak5Min: 0, ratePeak: 3, ratePeak5Min: 0 })
})

test('calls that last longer than five minutes count in every one of them', () => {
  const { begin, end, pass, counted } = counting()
  for (const id of ['a', 'b']) begin(id)
  pass(1000)
  expect(counted()).toMatchObject({ active: 2, peak5Min: 2 })
  end('a')
  // A minute ago there were two.
  pass(60)
  expect(counted()).toMatchObject({ active: 1, peak5Min: 2 })
})
