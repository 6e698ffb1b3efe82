import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/telemetry/index.js'
import { CHART, render } from './chart.js'

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}
const rulesText = readFileSync(`${CHART}/rules/patchbay.yaml`, 'utf8')
const rules = (load(rulesText) as RuleFile).groups.flatMap((group) => group.rules) // promtool holds it to that form
const dashboard = readFileSync(`${CHART}/dashboards/patchbay.json`, 'utf8')
const manual = readFileSync(`${CHART}/README.md`, 'utf8')

interface Target {
  readonly expr: string
}
const { panels } = JSON.parse(dashboard) as {
  readonly panels: readonly { readonly id: number; readonly targets?: readonly Target[] }[]
} // made by test/tools/chart/dashboard.ts
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

/** Names of metrics in an expression; those of a histogram's parts are that of the histogram. */
function metricsOf(expression: string): string[] {
  const names = expression.match(/\b(gateway|process|nodejs)_[a-z0-9_]+/g) ?? []
  return names.map((name) => name.replace(/_(bucket|count|sum)$/, ''))
}

async function exposed(): Promise<ReadonlySet<string>> {
  const text = await createMetrics({ links: [], routes: [], version: '0' }).text()
  return new Set([...text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name!))
}

test.each([
  ['alerts', rules.map(({ expr }) => expr)],
  ['dashboard', queries],
])('the %s use metrics that there are', async (_, expressions) => {
  const names = await exposed()
  const used = expressions.flatMap(metricsOf)
  expect(used.length).toBeGreaterThan(15)
  expect(used.filter((name) => !names.has(name))).toEqual([])
})

test('every metric of the gateway is on the dashboard', async () => {
  const used = new Set(queries.flatMap(metricsOf))
  const ours = [...(await exposed())].filter((name) => name.startsWith('gateway_'))
  expect(ours.filter((name) => !used.has(name))).toEqual([])
})

test('every alert has a paragraph that says what to do, and no other has one', () => {
  const [, section = ''] = manual.split('\n## Alerts\n')
  const headings = [...section.split('\n## ')[0]!.matchAll(/^### (\S+)\n\n\S/gm)].map(([, name]) => name)
  expect(headings).toEqual([...new Set(headings)])
  expect(headings.sort()).toEqual([...new Set(rules.map(({ alert }) => alert))].sort())
})

test('every series of an alert is of our job, which the chart replaces', () => {
  const series = rules.flatMap(({ expr }) => expr.match(/\b(gateway|process|nodejs|up)[a-z0-9_]*\{[^}]*\}/g) ?? [])
  const names = rules.flatMap(({ expr }) => expr.match(/\b(gateway|process|nodejs)_[a-z0-9_]+|\bup\b/g) ?? [])
  expect(series).toHaveLength(names.length)
  expect(series.filter((each) => !each.includes('{job="patchbay"'))).toEqual([])
  const rendered = JSON.stringify(
    render({ metrics: { prometheusRule: { enabled: true } } }).get('PrometheusRule/patchbay'),
  )
  expect(rendered.split('{namespace=\\"voice\\", job=\\"patchbay\\"')).toHaveLength(series.length + 1)
})

test('alerts ask for the job that the monitors set', () => {
  const monitors = ['serviceMonitor', 'podMonitor'].flatMap((monitor) => {
    const metrics = { prometheusRule: { enabled: true }, [monitor]: { enabled: true } }
    const made = render({ fullnameOverride: 'gate', metrics })
    const asked = [...JSON.stringify(made.get('PrometheusRule/gate')).matchAll(/ job=\\"(\w+)\\"/g)]
    const [, set] =
      /"replacement":"(\w+)","targetLabel":"job"|"targetLabel":"job","replacement":"(\w+)"/
        .exec(JSON.stringify([...made.values()]))
        ?.filter((each) => each !== undefined) ?? []
    return [...new Set(asked.map(([, job]) => job)), set]
  })
  expect(monitors).toEqual(['gate', 'gate', 'gate', 'gate'])
})

test('the dashboard is one that Grafana imports: panels have ids and places of their own, and the source is a variable', () => {
  const { panels: drawn, templating } = JSON.parse(dashboard) as {
    readonly panels: readonly {
      readonly id: number
      readonly gridPos: { x: number; y: number; w: number; h: number }
    }[]
    readonly templating: { readonly list: readonly { readonly name: string }[] }
  } // made by test/tools/chart/dashboard.ts
  expect(new Set(drawn.map(({ id }) => id)).size).toBe(drawn.length)
  const cells = drawn.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'namespace', 'job', 'instance'])
  const sources = [...dashboard.matchAll(/"uid": "([^"]*)"/g)].map(([, uid]) => uid)
  expect([...new Set(sources)].sort()).toEqual([`\${datasource}`, 'patchbay'])
})

test('the chart gives the dashboard to Grafana as it is', () => {
  const map = render({ metrics: { dashboard: { enabled: true } } }).get('ConfigMap/patchbay-dashboard')
  const { data } = map as unknown as { readonly data: Readonly<Record<string, string>> } // a ConfigMap has texts
  expect(JSON.parse(data['patchbay.json']!)).toEqual(JSON.parse(dashboard))
})
