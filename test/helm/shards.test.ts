import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SHARED } from './cases/case.js'
import { CHART, render, withCopy } from './chart.js'
import { compare } from './differences.js'
import { typeFaults, validate } from './kubernetes.js'

/** The chart as it will be once the gateway knows more than one shard. */
const sharded = (values: object) =>
  withCopy(
    (chart) => {
      const schema = readFileSync(join(CHART, 'values.schema.json'), 'utf8')
      const allowed = schema.replace(/("shards": \{[^}]*),\s*"maximum": 1/, '$1')
      if (allowed === schema) throw new Error('the schema has no limit of shards')
      writeFileSync(join(chart, 'values.schema.json'), allowed)
    },
    (chart) => render({ ...SHARED, shards: 4, ...values }, chart),
  )

test('the load decides how many pods there are', () => {
  const autoscaling = { enabled: true, minReplicas: 3, maxReplicas: 9, targetCPUUtilizationPercentage: 55 }
  const documents = sharded({ autoscaling })
  expect(compare(sharded({}), documents)).toEqual([
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
