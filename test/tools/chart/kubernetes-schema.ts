import type { JsonSchema } from './config-schema.js'

/** Schemas of what goes from the values of the chart to Kubernetes as it is. */

export const text: JsonSchema = { type: 'string' }
export const flag: JsonSchema = { type: 'boolean' }
export const whole = (minimum: number, maximum?: number): JsonSchema => ({
  type: 'integer',
  minimum,
  ...(maximum !== undefined && { maximum }),
})
export const oneOf = (...values: readonly string[]): JsonSchema => ({ type: 'string', enum: values })
export const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items })
export const mapOf = (additionalProperties: JsonSchema): JsonSchema => ({ type: 'object', additionalProperties })

/** An object with these members and no other. */
export const object = (
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...(required.length > 0 && { required }),
})

/** Whatever Kubernetes lets stand there. */
const open: JsonSchema = { type: 'object' }

/** Name of an object in Kubernetes. */
export const name: JsonSchema = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', maxLength: 253 }
export const nameOrNone: JsonSchema = { type: 'string', pattern: '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$', maxLength: 253 }

const quantity: JsonSchema = { type: ['string', 'number'] }
export const texts = mapOf(text)

/** Labels beside those that the chart sets itself: what selects its pods, and keys that would stand there twice. */
export const labels: JsonSchema = {
  ...texts,
  propertyNames: {
    not: {
      enum: [
        'app.kubernetes.io/name',
        'app.kubernetes.io/instance',
        'app.kubernetes.io/component',
        'app.kubernetes.io/version',
        'app.kubernetes.io/managed-by',
        'helm.sh/chart',
      ],
    },
  },
}

export const resources = object({ requests: mapOf(quantity), limits: mapOf(quantity), claims: listOf(open) })

export const probe = object(
  {
    initialDelaySeconds: whole(0),
    periodSeconds: whole(1),
    timeoutSeconds: whole(1),
    failureThreshold: whole(1),
  },
  ['periodSeconds', 'timeoutSeconds', 'failureThreshold'],
)

const keyRef = object({ name, key: text, optional: flag }, ['name', 'key'])

export const env = object(
  {
    name: { type: 'string', minLength: 1 },
    value: text,
    valueFrom: object({
      secretKeyRef: keyRef,
      configMapKeyRef: keyRef,
      fieldRef: object({ fieldPath: text, apiVersion: text }, ['fieldPath']),
      resourceFieldRef: object({ resource: text, containerName: text, divisor: quantity }, ['resource']),
    }),
  },
  ['name'],
)

/** Kinds of volumes are Kubernetes' own business. */
export const volume: JsonSchema = { ...open, required: ['name'], properties: { name } }

export const volumeMount = object(
  { name, mountPath: text, subPath: text, readOnly: flag, mountPropagation: text, subPathExpr: text },
  ['name', 'mountPath'],
)

const seccompProfile = object({ type: oneOf('RuntimeDefault', 'Localhost', 'Unconfined'), localhostProfile: text }, [
  'type',
])
const seLinuxOptions = object({ level: text, role: text, type: text, user: text })

export const podSecurityContext = object({
  runAsNonRoot: flag,
  runAsUser: whole(0),
  runAsGroup: whole(0),
  fsGroup: whole(0),
  fsGroupChangePolicy: oneOf('Always', 'OnRootMismatch'),
  supplementalGroups: listOf(whole(0)),
  sysctls: listOf(object({ name: text, value: text }, ['name', 'value'])),
  seccompProfile,
  seLinuxOptions,
})

export const securityContext = object({
  runAsNonRoot: flag,
  runAsUser: whole(0),
  runAsGroup: whole(0),
  readOnlyRootFilesystem: flag,
  allowPrivilegeEscalation: flag,
  privileged: flag,
  capabilities: object({ add: listOf(text), drop: listOf(text) }),
  seccompProfile,
  seLinuxOptions,
})

const selector = object({
  matchLabels: texts,
  matchExpressions: listOf(object({ key: text, operator: text, values: listOf(text) }, ['key', 'operator'])),
})

const podTerm = object(
  {
    topologyKey: text,
    labelSelector: selector,
    namespaces: listOf(text),
    namespaceSelector: selector,
    matchLabelKeys: listOf(text),
    mismatchLabelKeys: listOf(text),
  },
  ['topologyKey'],
)
const podAffinity = object({
  requiredDuringSchedulingIgnoredDuringExecution: listOf(podTerm),
  preferredDuringSchedulingIgnoredDuringExecution: listOf(
    object({ weight: whole(1, 100), podAffinityTerm: podTerm }, ['weight', 'podAffinityTerm']),
  ),
})
const expressions = listOf(object({ key: text, operator: text, values: listOf(text) }, ['key', 'operator']))
const nodeTerm = object({ matchExpressions: expressions, matchFields: expressions })

export const affinity = object({
  nodeAffinity: object({
    requiredDuringSchedulingIgnoredDuringExecution: object({ nodeSelectorTerms: listOf(nodeTerm) }, [
      'nodeSelectorTerms',
    ]),
    preferredDuringSchedulingIgnoredDuringExecution: listOf(
      object({ weight: whole(1, 100), preference: nodeTerm }, ['weight', 'preference']),
    ),
  }),
  podAffinity,
  podAntiAffinity: podAffinity,
})

export const toleration = object({
  key: text,
  operator: oneOf('Exists', 'Equal'),
  value: text,
  effect: oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
  tolerationSeconds: whole(0),
})

export const spread = object(
  {
    topologyKey: text,
    maxSkew: whole(1),
    minDomains: whole(1),
    whenUnsatisfiable: oneOf('ScheduleAnyway', 'DoNotSchedule'),
    nodeAffinityPolicy: oneOf('Honor', 'Ignore'),
    nodeTaintsPolicy: oneOf('Honor', 'Ignore'),
  },
  ['topologyKey', 'maxSkew', 'whenUnsatisfiable'],
)

export const peer = object({
  podSelector: selector,
  namespaceSelector: selector,
  ipBlock: object({ cidr: text, except: listOf(text) }, ['cidr']),
})

export const egressRule = object({
  to: listOf(peer),
  ports: listOf(object({ port: { type: ['integer', 'string'] }, endPort: whole(1, 65_535), protocol: text })),
})
