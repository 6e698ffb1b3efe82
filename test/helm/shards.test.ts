import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { merge, SHARED, SHARES } from './cases/case.js'
import { type KubernetesObject, render } from './chart.js'
import { checked } from './checked.js'
import { compare } from './differences.js'
import { typeFaults, validate } from './kubernetes.js'

const sharded = (values: object = {}) =>
  render(merge(SHARED, { config: { ...SHARES, store: { spreadAfterMs: 5000 } } }, { shards: 3 }, values))

test('links and routes of shards are there once for each, and the gateway takes them', async () => {
  const documents = sharded()
  const { data } = documents.get('ConfigMap/patchbay') as KubernetesObject & { data: Record<string, string> } // that is its form
  const config = load(data['patchbay.yaml']!) as { links: Record<string, unknown>; routes: unknown } // checked below
  const of = (at: number) => JSON.parse(JSON.stringify(SHARES.links).replaceAll('SHARD', String(at))) as object
  expect(config.links).toMatchObject({ ...of(1), ...of(2), ...of(3) })
  expect(Object.keys(config.links)).toHaveLength(8)
  expect(config.routes).toEqual([
    { from: 'bus', to: 'legacy' },
    ...[1, 2, 3].map((at) => ({ from: `calls-${at}`, to: `bus-${at}` })),
  ])
  expect(data['patchbay.yaml']).toContain('bytes: 123456789\n')
  expect(await checked(documents)).toMatch(/^\d+ files checked, no faults\n$/)
})

test('another number of shards starts the pods anew', () => {
  const told = compare(sharded(), sharded({ shards: 2 }))
  expect(told.filter((each) => each.startsWith('Deployment'))).toEqual([
    'Deployment/patchbay spec template metadata annotations patchbay/restart: … → …',
  ])
  expect(told.filter((each) => /links (calls|bus)-3: -/.test(each))).toHaveLength(2)
})

test('the load decides how many pods there are', () => {
  const autoscaling = { enabled: true, minReplicas: 3, maxReplicas: 9, targetCPUUtilizationPercentage: 55 }
  const documents = sharded({ autoscaling })
  expect(compare(sharded(), documents)).toEqual([
    '+ HorizontalPodAutoscaler/patchbay',
    'Deployment/patchbay spec replicas: - 2',
  ])
  const scaler = documents.get('HorizontalPodAutoscaler/patchbay')!
  validate(scaler)
  expect(typeFaults([scaler])).toEqual([])
  expect(scaler.spec).toEqual({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'patchbay' },
    minReplicas: 3,
    maxReplicas: 9,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 55 } } }],
  })
})
