/**
 * Work in order by key: tasks that share a key run one after the other, in the order they came; all
 * others side by side. A task for everything waits for all before it, and all after it wait for it.
 */
export interface Lanes {
  run(keys: readonly string[], task: () => Promise<void>): Promise<void>
  runAlone(task: () => Promise<void>): Promise<void>
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>
}

/** A task that rejects does so to whoever made it; those that wait for it go on. */
export function makeLanes(): Lanes {
  const tails = new Map<string, Promise<void>>()
  let alone: Promise<void> | undefined

  async function after(before: readonly Promise<void>[], task: () => Promise<void>): Promise<void> {
    await Promise.all(before)
    await task()
  }

  function run(keys: readonly string[], task: () => Promise<void>): Promise<void> {
    const before: Promise<void>[] = alone === undefined ? [] : [alone]
    for (const key of keys) {
      const tail = tails.get(key)
      if (tail !== undefined) before.push(tail)
    }
    const done = before.length === 0 ? task() : after(before, task)
    const over = done
      .then(undefined, () => undefined)
      .then(() => {
        for (const key of keys) if (tails.get(key) === over) tails.delete(key)
      })
    for (const key of keys) tails.set(key, over)
    return done
  }

  function runAlone(task: () => Promise<void>): Promise<void> {
    const before = [...tails.values()]
    if (alone !== undefined) before.push(alone)
    const done = after(before, task)
    const over = done
      .then(undefined, () => undefined)
      .then(() => {
        if (alone === over) alone = undefined
      })
    alone = over
    return done
  }

  return {
    run,
    runAlone,
    async idle() {
      while (tails.size > 0 || alone !== undefined) await Promise.all([...tails.values(), alone])
    },
  }
}
