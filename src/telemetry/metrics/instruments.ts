import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { declared, type MetricName } from '../metric-list.js'

type Labels = Readonly<Record<string, string>>

/**
 * A counter whose series are bound once, each by the values of its labels in their declared order. `bindEach` gives
 * one for each value of the last label.
 */
export interface BoundCounter {
  bind(...values: string[]): (amount?: number) => void
  bindEach<K extends string>(keys: readonly K[], ...values: string[]): (key: K, amount?: number) => void
}

/** A histogram of times, bound like a {@link BoundCounter}; it is told milliseconds and shows seconds. */
export interface BoundHistogram {
  bind(...values: string[]): (milliseconds: number) => void
}

/** A gauge that is read when somebody asks. What several tell of the same labels is added. */
export interface ReadGauge {
  bind(read: () => number, ...values: string[]): void
}

/** Makes the instruments of declared metrics, each of them once. Every bound series begins at zero. */
export interface Instruments {
  counter(name: MetricName<'counter'>): BoundCounter
  histogram(name: MetricName<'histogram'>): BoundHistogram
  readGauge(name: MetricName<'gauge'>): ReadGauge
  setGauge(name: MetricName<'gauge'>): Gauge
}

/** Upper bounds, seconds: from what a message takes that waits for nobody to what a command may take. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const BOUNDS_MS = BOUNDS.map((seconds) => seconds * 1000)

/** What is kept for each combination of label values. */
interface Series<T> {
  readonly labels: Labels
  readonly value: T
}

/** Series by the values of their labels; equal values give the same series. */
function seriesOf<T>(labels: readonly string[], make: () => T) {
  const byValues = new Map<string, Series<T>>()
  return {
    all: () => byValues.values(),
    of(values: readonly string[]): T {
      if (values.length !== labels.length) throw new Error(`want values for ${labels.join(', ')}, got ${values}`)
      const key = values.join('\u0000')
      let found = byValues.get(key)
      if (found === undefined) {
        found = { labels: Object.fromEntries(labels.map((label, at) => [label, values[at]!])), value: make() }
        byValues.set(key, found)
      }
      return found.value
    },
  }
}

/** The sums are ours, and the library gets them when somebody asks: its own way to count is slow. */
export function makeInstruments(registry: Registry): Instruments {
  function settings(name: MetricName) {
    const { help, labels } = declared(name)
    return { name, help, labelNames: [...labels], registers: [registry] }
  }

  function counter(name: MetricName<'counter'>): BoundCounter {
    const series = seriesOf(declared(name).labels, () => ({ sum: 0 }))
    new Counter({
      ...settings(name),
      collect() {
        this.reset()
        for (const { labels, value } of series.all()) this.inc(labels, value.sum)
      },
    })
    const bind: BoundCounter['bind'] = (...values) => {
      const one = series.of(values)
      return (amount = 1) => {
        one.sum += amount
      }
    }
    return {
      bind,
      bindEach(keys, ...values) {
        const each = new Map(keys.map((key) => [key, bind(...values, key)]))
        return (key, amount = 1) => each.get(key)?.(amount)
      },
    }
  }

  function histogram(name: MetricName<'histogram'>): BoundHistogram {
    const series = seriesOf(declared(name).labels, () => ({
      counts: new Float64Array(BOUNDS.length + 1),
      sumMs: 0,
    }))
    const values = () => [...series.all()].flatMap(({ labels, value }) => histogramLines(name, labels, value))
    const made = new Histogram({ ...settings(name), buckets: BOUNDS })
    const read = async () => ({ name, help: declared(name).help, type: 'histogram', values: values() })
    // The library asks by the second name where there is one, for a form that is cheaper to print.
    Object.assign(made, { get: read, getForPromString: read })
    return {
      bind(...given) {
        const one = series.of(given)
        return (milliseconds) => {
          let at = 0
          while (at < BOUNDS_MS.length && milliseconds > BOUNDS_MS[at]!) at++
          one.counts[at]! += 1
          one.sumMs += milliseconds
        }
      },
    }
  }

  function readGauge(name: MetricName<'gauge'>): ReadGauge {
    const series = seriesOf(declared(name).labels, (): (() => number)[] => [])
    new Gauge({
      ...settings(name),
      collect() {
        this.reset()
        for (const { labels, value: reads } of series.all())
          this.set(
            labels,
            reads.reduce((sum, read) => sum + read(), 0),
          )
      },
    })
    return { bind: (read, ...values) => void series.of(values).push(read) }
  }

  return { counter, histogram, readGauge, setGauge: (name) => new Gauge(settings(name)) }
}

/** What is kept of the times of one series: how many fell under each bound and over the one before, the last over all. */
interface Times {
  readonly counts: Float64Array
  readonly sumMs: number
}

function histogramLines(name: string, labels: Labels, { counts, sumMs }: Times) {
  let count = 0
  const buckets = [...BOUNDS, '+Inf'].map((le, at) => {
    count += counts[at]!
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumMs / 1000 },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
