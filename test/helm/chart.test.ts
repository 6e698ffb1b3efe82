import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dump } from 'js-yaml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.js'
import { valueAt } from '../tools/chart/values-docs.js'
import { CHART, type KubernetesObject, readValues, render } from './chart.js'
import { checked } from './checked.js'
import { typeFaults, validate } from './kubernetes.js'

const VALUES: Readonly<Record<string, object>> = {
  default: {},
  minimal: readValues(readFileSync('test/helm/values/minimal.yaml', 'utf8')),
  everything: readValues(readFileSync('test/helm/values/everything.yaml', 'utf8')),
  sidecar: readValues(readFileSync(`${CHART}/examples/asterisk-sidecar-values.yaml`, 'utf8')),
}
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string } // npm wants it
const CONTAINER = ['spec', 'template', 'spec', 'containers', '0']
const RENDERED = Object.entries(VALUES).map(([name, values]) => ({ name, documents: render(values) }))

test.each(RENDERED)('with the values `$name` all of it is as it was read through', async ({ name, documents }) => {
  const text = [...documents.values()]
    .filter((each) => each.metadata.name !== 'patchbay-dashboard')
    .map((each) => dump(each, { lineWidth: -1 }))
    .join('---\n')
    .replaceAll(version, 'VERSION')
  await expect(text).toMatchFileSnapshot(`rendered/${name}.yaml`)
})

test.each(RENDERED)('with the values `$name` Kubernetes takes it', ({ documents }) => {
  for (const each of documents.values()) validate(each)
})

test('Kubernetes knows every key of it', () => {
  expect(typeFaults(RENDERED.flatMap(({ documents }) => [...documents.values()]))).toEqual([])
})

const planted = (change: (deployment: Record<string, unknown>) => void): KubernetesObject => {
  const made = structuredClone(render({}).get('Deployment/patchbay')!)
  change(made.spec as Record<string, unknown>) // a Deployment has a spec
  return made
}

test('a wrong type, a missing key and an unknown one are seen', () => {
  expect(() => validate(planted((spec) => Object.assign(spec, { replicas: 'two' })))).toThrow('replicas')
  expect(() => validate(planted((spec) => delete spec.selector))).toThrow('selector')
  expect(typeFaults([planted((spec) => Object.assign(spec, { replicass: 2 }))])[0]).toContain('replicass')
})

test.each(RENDERED)('with the values `$name` the configuration passes `patchbay check`', async ({ documents }) => {
  expect(await checked(documents)).toMatch(/^\d+ files checked, no faults\n$/)
})

test('a configuration that does not pass is seen', async () => {
  expect(await checked(render({ config: { routes: [{ from: 'nowhere', to: 'bus' }] } }))).toContain('nowhere')
})

test('commands that the manual names are there', () => {
  const manual = readFileSync(`${CHART}/README.md`, 'utf8')
  const names = COMMANDS.map(({ name }) => name)
  const told = [...manual.matchAll(/`patchbay ([a-z]+)[ `]/g)].map(([, name]) => name!)
  expect(told.length).toBeGreaterThan(1)
  expect(told.filter((name) => !names.includes(name))).toEqual([])
})

test('by default a pod runs what the image does', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8')
  const [, said] = /^CMD (\[.*\])$/m.exec(dockerfile.split('FROM scratch')[1]!.split('ENTRYPOINT')[1]!)!
  const { command, args } = valueAt(render({}).get('Deployment/patchbay'), CONTAINER) as Record<string, unknown> // a container
  expect([command, args]).toEqual([undefined, JSON.parse(said!)])
})

test('numbers arrive as they were written', () => {
  const documents = render({ config: { limits: { bytes: 123_456_789, nodes: 9_007_199_254_740_991 } } })
  const { data } = documents.get('ConfigMap/patchbay') as KubernetesObject & { data: Record<string, string> } // that is its form
  expect(data['patchbay.yaml']).toContain('bytes: 123456789\n  nodes: 9007199254740991\n')
})

test('the configuration is where the container looks for it', () => {
  const deployment = JSON.stringify(render({}).get('Deployment/patchbay'))
  expect(deployment).toContain('"args":["run","-c","/etc/patchbay/patchbay.yaml"]')
  expect(deployment).toContain('"mountPath":"/etc/patchbay"')
})

let server: Server
let status = 200
beforeAll(async () => {
  server = createServer((request, response) => {
    response.writeHead(request.url === '/readyz' ? status : 404).end('{"ready":"told"}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => void server.close())

function ask(host: string): Promise<{ code: number; out: string }> {
  const { port } = server.address() as AddressInfo // a TCP server that listens has one
  const script = readFileSync(`${CHART}/files/ask-readiness.mjs`, 'utf8')
  return new Promise((resolve) => {
    const args = ['--input-type=module', '-e', script, host, String(port)]
    execFile(process.execPath, args, { env: { ASK_FOR_MS: '0' } }, (error, out) => {
      resolve({ code: error === null ? 0 : Number(error.code), out })
    })
  })
}

test.each([
  { name: 'ready pods pass', host: 'localhost', answer: 200, code: 0, out: '200\n{"ready":"told"}' },
  {
    name: 'a pod that is not ready fails, with what it says',
    host: 'localhost',
    answer: 503,
    code: 1,
    out: '503\n{"ready":"told"}',
  },
  { name: 'no pods fail', host: 'nobody.invalid', answer: 200, code: 1, out: 'nobody.invalid' },
])('the test of a release: $name', async ({ host, answer, code, out }) => {
  status = answer
  const told = await ask(host)
  expect([told.code, told.out]).toEqual([code, expect.stringContaining(out)])
})

test('the test of a release is this script', () => {
  const pod = JSON.stringify(render({}).get('Pod/patchbay-test'))
  expect(pod).toContain(JSON.stringify(readFileSync(`${CHART}/files/ask-readiness.mjs`, 'utf8').trimEnd()).slice(1, -1))
  expect(readdirSync(`${CHART}/files`)).toEqual(['ask-readiness.mjs'])
})
