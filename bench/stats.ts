/** Middle of several measurements, and how far they lie apart. */
export interface Summary {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** Summary of at least one number. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    least: sorted[0]!,
    most: sorted.at(-1)!,
  }
}

/** Three digits that matter, thousands apart: `12,300`, `4.56`. */
export function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
}

/** `median unit (least–most)`. */
export function told({ median, least, most }: Summary, unit: string): string {
  return `${figure(median)} ${unit} (${figure(least)}–${figure(most)})`
}

/**
 * Medians, spreads and the ratio of measurements that were taken in turn. `ours` and each of
 * `yardsticks` hold one value a round; the ratio is that to the yardstick with the largest median,
 * taken round by round, so that a machine that slows down does not decide.
 */
export function compare(
  ours: readonly number[],
  yardsticks: ReadonlyMap<string, readonly number[]>,
): { readonly against: string; readonly ratio: Summary } {
  const [against, best] = [...yardsticks].reduce((a, b) => (summarize(b[1]).median > summarize(a[1]).median ? b : a))
  return { against, ratio: summarize(ours.map((value, round) => value / best[round]!)) }
}
