/** Remembers the last texts it was given. */
export interface Recent {
  add(text: string): void
  delete(text: string): void
  has(text: string): boolean
}

/** @param size at least so many are remembered, at most twice as many. */
export function makeRecent(size: number): Recent {
  // Two generations: taking the oldest out of one large set, each time, would walk over what was taken out before.
  let young = new Set<string>()
  let old = new Set<string>()
  return {
    add(text) {
      young.add(text)
      if (young.size < size) return
      old = young
      young = new Set()
    },
    delete(text) {
      young.delete(text)
      old.delete(text)
    },
    has: (text) => young.has(text) || old.has(text),
  }
}
