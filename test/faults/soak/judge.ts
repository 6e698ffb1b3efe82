import type { Census, Figures } from './inside.js'

/** What a process held at one moment of a soak. */
export interface Sample extends Figures {
  readonly subscriptions: number
}

/** What a process that had nothing to do held. */
export interface AtRest {
  readonly sample: Sample
  readonly census: Census
}

/** What a process may grow by from the end of the warm-up on. */
const HEAP_GROWTH = 0.05
const RESIDENT_GROWTH = 0.1

/** What Node and the client libraries open for good at the first load. */
const OPENED_ONCE = 10

const percent = (share: number) => `${(share * 100).toFixed(1)} %`

function grew(what: string, from: number, to: number, most: number): string[] {
  const share = to / from - 1
  return share < most ? [] : [`${what} grew by ${percent(share)}, and less than ${percent(most)} may be`]
}

/** What is wrong with how memory went under load, from the end of the warm-up to the last sample. */
export function judgeGrowth(warm: Sample, last: Sample): string[] {
  return [
    ...grew('the heap', warm.heapBytes, last.heapBytes, HEAP_GROWTH),
    ...grew('resident memory', warm.residentBytes, last.residentBytes, RESIDENT_GROWTH),
  ]
}

const COUNTS: readonly [string, (rest: AtRest) => number][] = [
  ['handles', ({ sample }) => sample.handles],
  ['timers', ({ census }) => census.timers],
  ['emitters', ({ census }) => census.emitters],
  ['listeners', ({ census }) => census.listeners],
  ['subscriptions', ({ sample }) => sample.subscriptions],
]

/** What was left behind: a process at rest holds what it held at rest before. */
export function judgeLeaks(before: AtRest, after: AtRest): string[] {
  return COUNTS.flatMap(([what, of]) =>
    of(after) - of(before) <= OPENED_ONCE ? [] : [`${of(before)} ${what} at rest before, ${of(after)} after`],
  )
}

/** What is in the heap and on the server, in a few words. */
export function counted(rest: AtRest): string {
  return COUNTS.map(([what, of]) => `${of(rest)} ${what}`).join(', ')
}
