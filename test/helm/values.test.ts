import { expect, test } from 'vitest'
import { documentedValues, standardValues, valueAt } from '../tools/chart/values-docs.js'
import { merge } from './cases/case.js'
import { CONFIGURATION } from './cases/configuration.js'
import { PODS } from './cases/pods.js'
import { SURROUNDINGS } from './cases/surroundings.js'
import { render } from './chart.js'
import { compare } from './differences.js'

const CASES = [...PODS, ...CONFIGURATION, ...SURROUNDINGS]

test.each(CASES)('changes what it should: $name', ({ from = {}, set, changes }) => {
  expect(compare(render(from), render(merge(from, set)))).toEqual([...changes].sort())
})

test('two names change every name, and nothing else', () => {
  const renamed = render({ nameOverride: 'gate', fullnameOverride: 'voice-gate' })
  const back = JSON.stringify([...renamed.values()])
    .replaceAll('voice-gate', 'patchbay')
    .replaceAll('"gate"', '"patchbay"')
  expect(JSON.parse(back)).toEqual([...render().values()])
})

/** Values that only others give a meaning; where that is shown. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  nameOverride: 'two names change every name',
  fullnameOverride: 'two names change every name',
  shards: 'values that do not go together',
  'sidecar.gatesPod': 'sidecar.test.ts',
  'autoscaling.enabled': 'values that do not go together',
  'autoscaling.minReplicas': 'shards.test.ts',
  'autoscaling.maxReplicas': 'shards.test.ts',
  'autoscaling.targetCPUUtilizationPercentage': 'shards.test.ts',
}

test('every value is among the cases', () => {
  const paths = documentedValues().map(({ path }) => path)
  const missing = paths.filter((path) => !CASES.some(({ set }) => valueAt(set, path) !== undefined))
  expect(missing.map((path) => path.join('.')).sort()).toEqual(Object.keys(ELSEWHERE).sort())
})

test('every value has a comment', () => {
  const documented = new Set(documentedValues().map(({ path }) => path.join('.')))
  const bare = (values: unknown, path: readonly string[]): string[] => {
    if (documented.has(path.join('.'))) return []
    const isMap = typeof values === 'object' && values !== null && !Array.isArray(values)
    return isMap ? Object.entries(values).flatMap(([key, each]) => bare(each, [...path, key])) : [path.join('.')]
  }
  expect(bare(standardValues(), [])).toEqual([])
})
