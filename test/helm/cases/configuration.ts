import { told } from '../differences.js'
import { APPS, APPS_TOLD, type Case, CONFIG, CONTAINER, merge, POD, RESTART, SHARED } from './case.js'

const SPREAD = ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: {
    matchLabels: {
      'app.kubernetes.io/name': 'patchbay',
      'app.kubernetes.io/instance': 'patchbay',
      'app.kubernetes.io/component': 'gateway',
    },
  },
  matchLabelKeys: ['pod-template-hash'],
}))
const LEGACY = {
  type: 'amqp',
  dialect: 'voice-events',
  url: 'amqp://rabbitmq:5672',
  username: `\${LEGACY_USERNAME}`,
  password: `\${LEGACY_PASSWORD}`,
}

/** Values of the gateway: its configuration, and what follows from it. */
export const CONFIGURATION: readonly Case[] = [
  {
    name: 'several replicas',
    set: SHARED,
    changes: [
      '+ PodDisruptionBudget/patchbay',
      `${CONFIG} state: + "jetstream"`,
      'Deployment/patchbay spec replicas: 1 → 2',
      'Deployment/patchbay spec strategy type: "Recreate" → "RollingUpdate"',
      'Deployment/patchbay spec strategy rollingUpdate: + {"maxSurge":1,"maxUnavailable":0}',
      `${POD} terminationGracePeriodSeconds: 25 → 35`,
      `${POD} topologySpreadConstraints: + ${told(SPREAD)}`,
      RESTART,
    ],
  },
  {
    name: 'replicas that are evicted as they come',
    from: SHARED,
    set: { podDisruptionBudget: { enabled: false } },
    changes: ['- PodDisruptionBudget/patchbay'],
  },
  {
    name: 'replicas of which several may be away',
    from: merge(SHARED, { replicaCount: 4 }),
    set: { podDisruptionBudget: { maxUnavailable: '50%' } },
    changes: ['PodDisruptionBudget/patchbay spec maxUnavailable: 1 → "50%"'],
  },
  {
    name: 'replicas that are not spread',
    from: SHARED,
    set: { topologySpread: [] },
    changes: [`${POD} topologySpreadConstraints: - ${told(SPREAD)}`],
  },
  {
    name: 'a route: taken up by the running pods',
    set: { config: { routes: [{ from: 'legacy', to: 'bus' }] } },
    changes: [`${CONFIG} routes 1: - {"from":"bus","to":"legacy"}`],
  },
  {
    name: 'mappings, their settings and a mapping file: taken up by the running pods',
    set: {
      config: { mappings: ['v.yaml', 'patchbay/xcc.yaml'], settings: { xcc: { a: 1 } } },
      mappings: { files: { 'v.yaml': 'extends: patchbay/voice-events.yaml\n' } },
    },
    changes: [
      `${CONFIG} mappings: + ["v.yaml","patchbay/xcc.yaml"]`,
      `${CONFIG} settings: + {"xcc":{"a":1}}`,
      'ConfigMap/patchbay data v.yaml: + "extends: patchbay/voice-events.yaml\\n"',
    ],
  },
  {
    name: 'a mapping file where files are not watched',
    from: { config: { reload: { everyMs: 0 } } },
    set: { mappings: { files: { 'v.yaml': 'mapping: v1' } } },
    changes: ['ConfigMap/patchbay data v.yaml: + "mapping: v1\\n"', RESTART],
  },
  {
    name: 'anything else of the configuration: pods start anew',
    set: { config: { limits: { bytes: 8_388_608 } } },
    changes: [`${CONFIG} limits: + {"bytes":8388608}`, RESTART],
  },
  {
    name: 'a link less',
    set: { config: { links: { legacy: null } } },
    changes: [`${CONFIG} links legacy: - ${told(LEGACY)}`, RESTART],
  },
  {
    name: 'another group, by the name of the pod',
    set: { config: { group: `\${POD_NAME}` } },
    changes: [`${CONFIG} group: "patchbay" → "\${POD_NAME}"`, RESTART],
  },
  {
    name: 'another admin port',
    set: { config: { admin: { port: 9000 } } },
    changes: [
      `${CONFIG} admin port: 9464 → 9000`,
      `${CONTAINER} ports admin containerPort: 9464 → 9000`,
      'Pod/patchbay-test spec containers ask command 5: "9464" → "9000"',
      'Service/patchbay-admin spec ports admin port: 9464 → 9000',
      RESTART,
    ],
  },
  {
    name: 'a longer stop',
    set: { config: { stopGraceMs: 30_500 } },
    changes: [`${CONFIG} stopGraceMs: + 30500`, `${POD} terminationGracePeriodSeconds: 25 → 46`, RESTART],
  },
  {
    name: 'a link that ARI applications connect to',
    set: APPS,
    changes: [
      '+ Service/patchbay',
      APPS_TOLD,
      `${CONTAINER} ports ari-8088: + {"containerPort":8088,"name":"ari-8088"}`,
      RESTART,
    ],
  },
  {
    name: 'the Service for them',
    from: APPS,
    set: { service: { type: 'LoadBalancer', annotations: { a: 'b' } } },
    changes: [
      'Service/patchbay metadata annotations: + {"a":"b"}',
      'Service/patchbay spec type: "ClusterIP" → "LoadBalancer"',
    ],
  },
  {
    name: 'Secrets as variables',
    set: { secrets: { env: ['one', 'two'] } },
    changes: [
      `${CONTAINER} envFrom 0 secretRef name: "patchbay" → "one"`,
      `${CONTAINER} envFrom 1: + {"secretRef":{"name":"two"}}`,
    ],
  },
  {
    name: 'a Secret as files',
    set: { secrets: { files: { tls: 'legacy-tls' } } },
    changes: [
      `${CONTAINER} volumeMounts patchbay-secret-tls: + ${told({ name: 'patchbay-secret-tls', mountPath: '/run/secrets/tls', readOnly: true })}`,
      `${POD} volumes patchbay-secret-tls: + ${told({ name: 'patchbay-secret-tls', secret: { secretName: 'legacy-tls', defaultMode: 0o440 } })}`,
    ],
  },
]
