import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { valueAt } from '../tools/chart/values-docs.js'
import { byName, CHART, type KubernetesObject, readValues, render, withCopy } from './chart.js'
import { typeFaults, validate } from './kubernetes.js'

const EXAMPLES = `${CHART}/examples`
const VALUES = readValues(readFileSync(`${EXAMPLES}/asterisk-sidecar-values.yaml`, 'utf8'))
const example = byName(readFileSync(`${EXAMPLES}/asterisk-sidecar.yaml`, 'utf8')).get('StatefulSet/asterisk')!

interface PodParts {
  readonly initContainers: readonly object[]
  readonly volumes: readonly { readonly name: string }[]
}

/** What the gateway brings into a pod. */
function partsOf(pod: unknown): PodParts {
  const { initContainers, volumes } = pod as PodParts // a pod with both
  return { initContainers, volumes: volumes.filter(({ name }) => name.startsWith('patchbay-')) }
}

const EXAMPLE_PARTS = partsOf(valueAt(example, ['spec', 'template', 'spec']))

/** A chart that has ours as a dependency, as the manual of the chart shows it. */
function parentOf(chart: string): string {
  const parent = join(chart, '..', 'asterisk')
  mkdirSync(join(parent, 'templates'), { recursive: true })
  cpSync(chart, join(parent, 'charts', 'patchbay'), { recursive: true })
  writeFileSync(join(parent, 'Chart.yaml'), 'apiVersion: v2\nname: asterisk\nversion: 1.0.0\n')
  const [, shown] = /^( {6}initContainers:\n[\s\S]*?)```/m.exec(readFileSync(`${CHART}/README.md`, 'utf8')) ?? []
  if (shown === undefined) throw new Error('the manual does not show how the sidecar is included')
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata: { name: asterisk }\nspec:\n  x:\n    y:\n'
  writeFileSync(join(parent, 'templates', 'pod.yaml'), `${pod}${shown}`)
  return parent
}

const included = (values: object) =>
  withCopy(
    () => undefined,
    (chart) => {
      const documents = render({ patchbay: values }, parentOf(chart))
      return partsOf(valueAt(documents.get('Pod/asterisk'), ['spec', 'x', 'y']))
    },
  )

test('Kubernetes takes the example, and knows every key of it', () => {
  validate(example)
  expect(typeFaults([example])).toEqual([])
})

test('the example has what the chart makes of its values', () => {
  expect(EXAMPLE_PARTS).toEqual(included(VALUES))
})

test('the ConfigMap is the one that the example mounts', () => {
  const mounted = EXAMPLE_PARTS.volumes.map((volume) => valueAt(volume, ['configMap', 'name']))
  expect(render(VALUES).has(`ConfigMap/${mounted[0]}`)).toBe(true)
})

test('a chart that depends on ours gets the sidecar as the manual shows', () => {
  const { initContainers } = included({ ...VALUES, sidecar: { enabled: true, gatesPod: true } })
  const probe = {
    failureThreshold: 1,
    httpGet: { path: '/readyz', port: 'admin' },
    periodSeconds: 5,
    timeoutSeconds: 3,
  }
  expect(initContainers).toEqual([{ ...EXAMPLE_PARTS.initContainers[0], readinessProbe: probe }])
})

test('a Secret as files is readable to a user without a group', () => {
  const { volumes } = included({ ...VALUES, secrets: { files: { tls: 'legacy-tls' } } })
  const secret = { secretName: 'legacy-tls', defaultMode: 0o444 }
  expect(volumes).toContainEqual({ name: 'patchbay-secret-tls', secret })
})

/** What helm prints after an installation; it tells nobody without a cluster, so here it is put into a document. */
function notes(values: object): string {
  return withCopy(
    (chart) => {
      renameSync(join(chart, 'templates/NOTES.txt'), join(chart, 'NOTES.tpl'))
      const document =
        'apiVersion: v1\nkind: Notes\nmetadata: { name: n }\ntext: {{ tpl (.Files.Get "NOTES.tpl") . | quote }}\n'
      writeFileSync(join(chart, 'templates/notes.yaml'), document)
    },
    (chart) => String((render(values, chart).get('Notes/n') as KubernetesObject).text),
  )
}

test('the notes have the same parts, to be copied', () => {
  const text = notes(VALUES)
  const [, parts = ''] = /^(initContainers:[\s\S]*?)\n\n/m.exec(text) ?? []
  expect(partsOf(load(parts))).toEqual(EXAMPLE_PARTS)
  expect(text).toContain('These Secrets have to be there before a pod starts: patchbay, asterisk-ari.')
})

test.each([
  ['as files alone', { env: [], files: { tls: 'rabbit-tls', bus: 'nats-user' } }, 'nats-user, rabbit-tls.'],
  ['both ways, each once', { env: ['bus'], files: { bus: 'bus' } }, 'bus.'],
])('the notes name the Secrets that are used %s', (_, secrets, named) => {
  expect(notes({ secrets })).toContain(`These Secrets have to be there before a pod starts: ${named}`)
})

test('the notes name no Secrets where there are none', () => {
  expect(notes({ secrets: { env: [] } })).not.toContain('Secrets')
})

test('the notes tell how to look at the pods', () => {
  const apps = {
    type: 'ari-server',
    dialect: 'stasis',
    host: '0.0.0.0',
    users: [{ name: 'a', password: { env: 'A' } }],
  }
  const text = notes({ config: { links: { apps } } })
  expect(text).toContain('kubectl --namespace voice rollout status deployment/patchbay')
  expect(text).toContain('connect to patchbay.voice.svc, port 8088.')
})
