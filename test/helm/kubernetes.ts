import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { z } from 'zod'
import type { KubernetesObject } from './chart.js'

const require = createRequire(import.meta.url)

const labels = z.record(z.string(), z.string())
const custom = z.strictObject({
  apiVersion: z.literal('monitoring.coreos.com/v1'),
  kind: z.string(),
  metadata: z.strictObject({ name: z.string(), labels }),
})
const endpoint = z.strictObject({
  port: z.string(),
  path: z.string(),
  interval: z.string(),
  scrapeTimeout: z.string(),
  relabelings: z.array(z.strictObject({ targetLabel: z.string(), replacement: z.string() })),
})
const selector = z.strictObject({ matchLabels: labels })

/** What the Prometheus operator takes, as far as the chart uses it. */
const CUSTOM: Readonly<Record<string, z.ZodType>> = {
  ServiceMonitor: custom.extend({ spec: z.strictObject({ selector, endpoints: z.array(endpoint).min(1) }) }),
  PodMonitor: custom.extend({ spec: z.strictObject({ selector, podMetricsEndpoints: z.array(endpoint).min(1) }) }),
  PrometheusRule: custom.extend({
    spec: z.strictObject({
      groups: z.array(
        z.strictObject({
          name: z.string(),
          rules: z.array(
            z.strictObject({
              alert: z.string(),
              expr: z.string(),
              for: z.string().optional(),
              labels,
              annotations: labels,
            }),
          ),
        }),
      ),
    }),
  }),
}

/** A model of the package: it has a schema of its kind. */
type Model = new (document: unknown) => { validate(): void }

/** @throws Error with the path of what is missing or has a wrong type. Keys that Kubernetes does not know pass. */
export function validate(document: KubernetesObject): void {
  const { apiVersion, kind } = document
  const schema = CUSTOM[kind]
  if (schema !== undefined) return void schema.parse(document)
  const models = require(`kubernetes-models/${apiVersion}/${kind}`) as Readonly<Record<string, Model>> // named after the kind
  new models[kind]!(document).validate()
}

/** What the compiler says of documents written out as values of their types: of keys, too, that Kubernetes does not know. */
export function typeFaults(documents: readonly KubernetesObject[]): string[] {
  const known = documents.filter(({ kind }) => CUSTOM[kind] === undefined)
  const lines = known.map(({ apiVersion, kind, ...rest }, at) => {
    const type = `import('kubernetes-models/${apiVersion}/${kind}').I${kind}`
    return `export const d${at}: ${type} = ${JSON.stringify({ apiVersion, kind, ...rest })}`
  })
  mkdirSync('.cache', { recursive: true })
  // In the repository, for the compiler looks for packages from there.
  const folder = mkdtempSync(join('.cache', 'helm-types-'))
  try {
    const file = join(folder, 'documents.ts')
    writeFileSync(file, lines.join('\n'))
    const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'NodeNext', '--types', '']
    execFileSync('node', ['node_modules/typescript/bin/tsc', ...options, file], { stdio: 'pipe', encoding: 'utf8' })
    return []
  } catch (error) {
    const { stdout } = error as { readonly stdout: string } // of a program that ended with a code
    return stdout.trim().split('\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
