import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dump, load } from 'js-yaml'
import { beforeAll, expect, test } from 'vitest'
import { ensureInstalled } from '../harness/index.js'
import { CHART, render } from './chart.js'

beforeAll(ensureInstalled)

function promtool(...args: readonly string[]): { readonly code: number | null; readonly told: string } {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  return { code: status, told: `${stdout}${stderr}` }
}

test('Prometheus takes the alerts', () => {
  const { code, told } = promtool('check', 'rules', `${CHART}/rules/patchbay.yaml`)
  expect([code, told]).toEqual([0, expect.stringContaining('SUCCESS')])
  expect(told).not.toMatch(/lint|duplicate|FAILED/)
})

/** What promtool says of rules that stand in no file. */
function checked(rules: unknown): { readonly code: number | null; readonly told: string } {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-rules-'))
  try {
    const file = join(folder, 'rules.yaml')
    writeFileSync(file, dump(rules))
    return promtool('check', 'rules', file)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('Prometheus takes the alerts as the chart puts them into a cluster', () => {
  const values = { metrics: { prometheusRule: { enabled: true, memoryBytes: 1_000_000_000_000 } } }
  const { code, told } = checked(render(values).get('PrometheusRule/patchbay')!.spec)
  expect([code, told]).toEqual([0, expect.stringContaining('SUCCESS')])
})

interface Panel {
  readonly targets?: readonly { readonly expr: string }[]
}

test('Prometheus can read the queries of the dashboard', () => {
  const { panels } = load(readFileSync(`${CHART}/dashboards/patchbay.json`, 'utf8')) as {
    readonly panels: readonly Panel[]
  } // made by test/tools/chart/dashboard.ts
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  const asRules = (expressions: readonly string[]) => ({
    groups: [{ name: 'queries', rules: expressions.map((expr, at) => ({ record: `query:${at}`, expr })) }],
  })
  const known = queries.map((expr) => expr.replaceAll('$__rate_interval', '5m'))
  expect(checked(asRules(known))).toEqual({ code: 0, told: expect.stringContaining(`${queries.length} rules found`) })
  expect(checked(asRules(['sum by (link (up)'])).code).not.toBe(0)
})

test('alerts are told when they should be, and not before', () => {
  expect(promtool('test', 'rules', 'test/helm/alerts.test.yaml')).toEqual({
    code: 0,
    told: expect.stringContaining('SUCCESS'),
  })
})
