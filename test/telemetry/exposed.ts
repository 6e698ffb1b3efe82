/** What an exposition text tells. */
export interface Exposed {
  /** Values by name with labels, as they are written. */
  readonly series: ReadonlyMap<string, number>
  /** Name, type and names of the labels of each metric, sorted; a metric that has no series has no labels. */
  readonly metrics: readonly (readonly [name: string, type: string, labels: readonly string[]])[]
}

const SERIES = /^(?<name>[a-z0-9_]+)(?:\{(?<labels>.*)\})? (?<value>\S+)$/
const LABEL = /([a-z_]+)="(?:[^"\\]|\\.)*"/g
/** Parts of a histogram. */
const SUFFIX = /_(bucket|sum|count)$/

/** Reads an exposition text of Prometheus. @throws Error for a line that is none. */
export function exposed(text: string): Exposed {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]))
  const labels = new Map<string, Set<string>>([...types.keys()].map((name) => [name, new Set()]))
  const series = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const { name = '', labels: told = '', value } = SERIES.exec(line)?.groups ?? {}
    const of = labels.get(name) ?? labels.get(name.replace(SUFFIX, ''))
    if (of === undefined || value === undefined) throw new Error(`no series of a metric that is told of: ${line}`)
    for (const [, label] of told.matchAll(LABEL)) if (label !== 'le') of.add(label!)
    series.set(line.slice(0, -value.length - 1), Number(value))
  }
  const metrics = [...types].map(([name, type]) => [name, type, [...labels.get(name)!].sort()] as const)
  return { series, metrics: metrics.sort(([one], [other]) => (one < other ? -1 : 1)) }
}
