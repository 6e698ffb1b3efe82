/**
 * When a command of a channel begins. `at-once`: without waiting for any other. `in-order`: once those in order that
 * came before are over. `to-the-end`: likewise, and it holds those of its own kind back until it is over, as media do;
 * those in order go on meanwhile, but not before it has begun where nothing holds it back.
 */
export type Turn = 'at-once' | 'in-order' | 'to-the-end'

/** The order in which the commands of each channel run. */
export interface Turns {
  run<T>(channel: string, turn: Turn, task: () => Promise<T>): Promise<T>
  /** Channels with a command running or waiting. */
  count(): number
}

interface Line {
  /** Resolves when the last command in order is over, or the last one to the end has begun. */
  order: Promise<unknown>
  /** Resolves when the last command that runs to the end is over. */
  end: Promise<unknown>
  /** Commands to the end that run or wait. */
  media: number
  open: number
}

/** Makes the turns of one node. */
export function makeTurns(): Turns {
  const lines = new Map<string, Line>()

  function lineOf(channel: string): Line {
    let line = lines.get(channel)
    if (line === undefined) {
      line = { order: Promise.resolve(), end: Promise.resolve(), media: 0, open: 0 }
      lines.set(channel, line)
    }
    return line
  }

  function begin<T>(line: Line, turn: Turn, task: () => Promise<T>): Promise<T> {
    if (turn === 'at-once') return task()
    const { order, end } = line
    if (turn === 'in-order') {
      const run = order.then(task)
      line.order = run.catch(() => undefined)
      return run
    }
    const isHeld = line.media > 0
    line.media += 1
    const begun = Promise.all([order, end])
    const run = begun.then(task)
    if (!isHeld) line.order = begun
    line.end = run
      .catch(() => undefined)
      .then(() => {
        line.media -= 1
      })
    return run
  }

  return {
    async run(channel, turn, task) {
      const line = lineOf(channel)
      line.open += 1
      try {
        return await begin(line, turn, task)
      } finally {
        line.open -= 1
        if (line.open === 0) lines.delete(channel)
      }
    },
    count: () => lines.size,
  }
}
