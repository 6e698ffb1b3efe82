import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeTurns, type Turn } from '../../../src/calls/xnode/turns.js'

/** A task that can be ended from outside. */
function task() {
  let end: () => void = () => undefined
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  return { over, end: () => end() }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

/** Begins commands on one channel and tells which have begun. */
function channel(turns = makeTurns(), name = 'a') {
  const begun: number[] = []
  const tasks: ReturnType<typeof task>[] = []
  return {
    begun,
    ask(turn: Turn) {
      const at = tasks.length
      const each = task()
      tasks.push(each)
      return turns.run(name, turn, async () => {
        begun.push(at)
        await each.over
        return at
      })
    },
    end: (at: number) => tasks[at]!.end(),
    count: turns.count,
  }
}

test('what is done in order waits for what came before; what is done at once waits for nothing', async () => {
  const { ask, begun, end, count } = channel()
  const all = [ask('in-order'), ask('in-order'), ask('at-once')]
  await settle()
  expect(begun.toSorted()).toEqual([0, 2])
  end(0)
  await settle()
  expect(begun).toContain(1)
  end(1)
  end(2)
  expect(await Promise.all(all)).toEqual([0, 1, 2])
  expect(count()).toBe(0)
})

test('what runs to the end waits for its own kind, and holds nothing else back', async () => {
  const { ask, begun, end } = channel()
  const all = [ask('to-the-end'), ask('to-the-end'), ask('in-order'), ask('at-once')]
  await settle()
  expect(begun.toSorted()).toEqual([0, 2, 3])
  for (const at of [0, 2, 3]) end(at)
  await settle()
  expect(begun).toContain(1)
  end(1)
  await Promise.all(all)
})

test('a command that fails holds nobody back, and its failure is its own', async () => {
  const turns = makeTurns()
  const bad = turns.run('a', 'in-order', () => Promise.reject(new Error('no')))
  const good = turns.run('a', 'in-order', () => Promise.resolve('yes'))
  await expect(bad).rejects.toThrow('no')
  expect(await good).toBe('yes')
  expect(turns.count()).toBe(0)
})

test('channels do not wait for each other', async () => {
  const turns = makeTurns()
  const [one, other] = [channel(turns, 'a'), channel(turns, 'b')]
  const all = [one.ask('in-order'), other.ask('in-order')]
  await settle()
  expect([one.begun, other.begun]).toEqual([[0], [0]])
  one.end(0)
  other.end(0)
  await Promise.all(all)
})

test('whatever is asked in whatever order, each kind begins in the order of its arrival, and nothing is left', async () => {
  const turn = fc.constantFrom<Turn>('at-once', 'in-order', 'to-the-end')
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { maxLength: 12 }), fc.infiniteStream(fc.nat()), async (asked, dice) => {
      const { ask, begun, end, count } = channel()
      const all = asked.map(ask)
      const ended = new Set<number>()
      while (ended.size < asked.length) {
        await settle()
        const running = begun.filter((at) => !ended.has(at))
        // Somebody always runs.
        expect(running.length).toBeGreaterThan(0)
        for (const kind of ['in-order', 'to-the-end'] as const)
          expect(running.filter((at) => asked[at] === kind).length).toBeLessThanOrEqual(1)
        const next = running[dice.next().value % running.length]!
        ended.add(next)
        end(next)
      }
      await Promise.all(all)
      for (const kind of ['in-order', 'to-the-end'] as const) {
        const order = begun.filter((at) => asked[at] === kind)
        expect(order).toEqual(order.toSorted((a, b) => a - b))
      }
      expect(count()).toBe(0)
    }),
  )
})
