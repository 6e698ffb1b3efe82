/**
 * Hands on one thing in each turn of the event loop, in order: whoever waited for one can begin to wait for the next
 * before that is told, also when both came in one packet.
 */
export function oneATurn<T>(tell: (thing: T) => void): (thing: T) => void {
  let waiting: T[] = []
  let head = 0
  let isBusy = false

  function next(): void {
    isBusy = false
    if (head === waiting.length) return
    const thing = waiting[head++]!
    if (head === waiting.length) {
      waiting = []
      head = 0
    }
    handOn(thing)
  }

  function handOn(thing: T): void {
    isBusy = true
    setImmediate(next)
    tell(thing)
  }

  return (thing) => {
    if (isBusy) waiting.push(thing)
    else handOn(thing)
  }
}
