import { told } from '../differences.js'

/** Values and what they change. */
export interface Case {
  readonly name: string
  /** Values that are set before. */
  readonly from?: object
  readonly set: object
  /** Every difference, as {@link compare} tells it. */
  readonly changes: readonly string[]
}

export const POD = 'Deployment/patchbay spec template spec'
export const CONTAINER = `${POD} containers patchbay`
export const META = 'Deployment/patchbay spec template metadata'
export const CONFIG = 'ConfigMap/patchbay data patchbay.yaml'
/** Pods are started anew. */
export const RESTART = `${META} annotations patchbay/restart: … → …`
/** What the chart makes by default. */
export const ALL = [
  'ConfigMap/patchbay',
  'Deployment/patchbay',
  'Pod/patchbay-test',
  'Service/patchbay-admin',
  'ServiceAccount/patchbay',
]

const apps = {
  type: 'ari-server',
  dialect: 'stasis',
  host: '0.0.0.0',
  users: [{ name: 'crm', password: { env: 'X' } }],
}
const pbx = {
  type: 'ari',
  dialect: 'stasis',
  url: 'https://pbx:8089/x',
  username: 'patchbay',
  password: { env: 'X' },
  listen: { host: '0.0.0.0', port: 8090, username: 'pbx', password: { env: 'X' } },
}
export const APPS = { config: { links: { apps } } }
export const APPS_TOLD = `${CONFIG} links apps: + ${told(apps)}`
export const PBX = { config: { links: { pbx } } }
export const PBX_TOLD = `${CONFIG} links pbx: + ${told(pbx)}`
export const SHARED = { replicaCount: 2, config: { state: 'jetstream' } }
/** A configuration of links that each take a share. */
export const SHARES = {
  links: {
    'calls-SHARD': {
      type: 'amqp',
      dialect: 'voice-events',
      url: 'amqp://rabbitmq',
      username: 'patchbay',
      password: { env: 'X' },
      shard: { exchange: 'patchbay.calls', by: 'header:call-id' },
    },
    'bus-SHARD': { type: 'nats', dialect: 'xcc', servers: ['nats:4222'], node: { uuid: 'patchbay-SHARD' } },
  },
  routes: [
    { from: 'bus', to: 'legacy' },
    { from: 'calls-SHARD', to: 'bus-SHARD' },
  ],
  limits: { bytes: 123_456_789 },
}
export const SIDECAR = { sidecar: { enabled: true } }
export const POLICY = { networkPolicy: { enabled: true } }

const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Values laid over one another, as helm does it. */
export function merge(...parts: readonly object[]): object {
  const made: Record<string, unknown> = {}
  for (const [key, value] of parts.flatMap((part) => Object.entries(part))) {
    const before = made[key]
    made[key] = isMap(before) && isMap(value) ? merge(before, value) : value
  }
  return made
}
