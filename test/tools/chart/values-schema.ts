import { chartConfigSchema, type JsonSchema } from './config-schema.js'
import {
  affinity,
  egressRule,
  env,
  flag,
  labels,
  listOf,
  mapOf,
  name,
  nameOrNone,
  object,
  oneOf,
  peer,
  podSecurityContext,
  probe,
  resources,
  securityContext,
  spread,
  text,
  texts,
  toleration,
  volume,
  volumeMount,
  whole,
} from './kubernetes-schema.js'
import { documentedValues } from './values-docs.js'

const duration: JsonSchema = { type: 'string', pattern: '^([0-9]+(ms|s|m|h))+$' }
/** Key of a ConfigMap that may be the name of a mapping file. */
const fileName: JsonSchema = { type: 'string', pattern: '^[-._a-zA-Z0-9]+\\.ya?ml$' }
const folder: JsonSchema = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 40 }

const monitor = object({ enabled: flag, labels, interval: duration, scrapeTimeout: duration })

const PROPERTIES: Readonly<Record<string, JsonSchema>> = {
  nameOverride: nameOrNone,
  fullnameOverride: nameOrNone,
  commonLabels: labels,
  image: object({
    repository: { type: 'string', minLength: 1 },
    tag: text,
    digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
    pullPolicy: oneOf('Always', 'IfNotPresent', 'Never'),
  }),
  imagePullSecrets: listOf(name),
  replicaCount: whole(1),
  shards: whole(1, 64),
  config: chartConfigSchema(),
  mappings: object({ files: { ...mapOf({ type: 'string', minLength: 1 }), propertyNames: fileName } }),
  secrets: object({ env: listOf(name), files: { ...mapOf(name), propertyNames: folder } }),
  sidecar: object({ enabled: flag, podLabels: texts, gatesPod: flag }),
  preStopSeconds: whole(0, 600),
  terminationGracePeriodSeconds: whole(0),
  probes: object({ startup: probe, liveness: probe, readiness: probe }),
  resources,
  podLabels: labels,
  podAnnotations: texts,
  extraEnv: listOf(env),
  extraVolumes: listOf(volume),
  extraVolumeMounts: listOf(volumeMount),
  podSecurityContext,
  securityContext,
  nodeSelector: texts,
  affinity,
  tolerations: listOf(toleration),
  priorityClassName: nameOrNone,
  topologySpread: listOf(spread),
  serviceAccount: object({ create: flag, name: nameOrNone, annotations: texts }),
  service: object({ type: oneOf('ClusterIP', 'NodePort', 'LoadBalancer'), annotations: texts }),
  podDisruptionBudget: object({ enabled: flag, maxUnavailable: { type: ['integer', 'string'], pattern: '^[0-9]+%$' } }),
  autoscaling: object({
    enabled: flag,
    minReplicas: whole(1),
    maxReplicas: whole(1),
    targetCPUUtilizationPercentage: whole(1),
  }),
  metrics: object({
    serviceMonitor: monitor,
    podMonitor: monitor,
    prometheusRule: object({ enabled: flag, labels, memoryBytes: whole(1) }),
    dashboard: object({ enabled: flag, labels, annotations: texts }),
  }),
  networkPolicy: object({
    enabled: flag,
    brokers: listOf(peer),
    asterisks: listOf(peer),
    scrapers: listOf(peer),
    ariClients: listOf(peer),
    extraEgress: listOf(egressRule),
  }),
  // What helm itself puts among the values of a chart that another one depends on.
  global: { type: 'object' },
}

/** JSON Schema of the chart's values, with what values.yaml says of them. */
export function valuesSchema(): JsonSchema {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart patchbay',
    ...object(PROPERTIES, ['config']),
  }
  return documentedValues().reduce<JsonSchema>((made, { path, about }) => describe(made, path, about), schema)
}

/** The same schema with a description at a path of values. */
function describe(schema: JsonSchema, [key, ...rest]: readonly string[], about: string): JsonSchema {
  if (key === undefined) return { description: about, ...schema }
  const { properties } = schema as { readonly properties?: Readonly<Record<string, JsonSchema>> } // made above
  const inner = properties?.[key]
  if (inner === undefined) throw new Error(`values.yaml tells of ${key}, which the schema does not have`)
  return { ...schema, properties: { ...properties, [key]: describe(inner, rest, about) } }
}
