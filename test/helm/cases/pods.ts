import { told } from '../differences.js'
import { ALL, type Case, CONTAINER, META, POD, SIDECAR } from './case.js'

const DIGEST = `sha256:${'0'.repeat(64)}`

/** Values that change the pods themselves. */
export const PODS: readonly Case[] = [
  {
    name: 'an image',
    set: { image: { repository: 'r/p', tag: '9' } },
    changes: [
      `${CONTAINER} image: "patchbay:0.1.0" → "r/p:9"`,
      'Pod/patchbay-test spec containers ask image: "patchbay:0.1.0" → "r/p:9"',
    ],
  },
  {
    name: 'a digest, which counts more than the tag',
    set: { image: { tag: '9', digest: DIGEST } },
    changes: [
      `${CONTAINER} image: "patchbay:0.1.0" → …`,
      'Pod/patchbay-test spec containers ask image: "patchbay:0.1.0" → …',
    ],
  },
  {
    name: 'when the image is fetched',
    set: { image: { pullPolicy: 'Always' } },
    changes: [
      `${CONTAINER} imagePullPolicy: "IfNotPresent" → "Always"`,
      'Pod/patchbay-test spec containers ask imagePullPolicy: "IfNotPresent" → "Always"',
    ],
  },
  {
    name: 'Secrets to fetch the image with',
    set: { imagePullSecrets: ['registry'] },
    changes: [
      `${POD} imagePullSecrets: + [{"name":"registry"}]`,
      'Pod/patchbay-test spec imagePullSecrets: + [{"name":"registry"}]',
    ],
  },
  {
    name: 'labels for all',
    set: { commonLabels: { team: 'voice' } },
    changes: [...ALL.map((name) => `${name} metadata labels team: + "voice"`), `${META} labels team: + "voice"`],
  },
  {
    name: 'a longer wait before the stop',
    set: { preStopSeconds: 15 },
    changes: [
      `${CONTAINER} lifecycle preStop exec command 2: "setTimeout(() => {}, 5000)" → "setTimeout(() => {}, 15000)"`,
      `${POD} terminationGracePeriodSeconds: 25 → 35`,
    ],
  },
  {
    name: 'no wait before the stop',
    set: { preStopSeconds: 0 },
    changes: [
      `${CONTAINER} lifecycle: - ${told({ preStop: { exec: { command: ['node', '-e', 'setTimeout(() => {}, 5000)'] } } })}`,
      `${POD} terminationGracePeriodSeconds: 25 → 20`,
    ],
  },
  {
    name: 'a longer grace period',
    set: { terminationGracePeriodSeconds: 120 },
    changes: [`${POD} terminationGracePeriodSeconds: 25 → 120`],
  },
  {
    name: 'a sidecar',
    set: SIDECAR,
    changes: [...ALL.filter((name) => name !== 'ConfigMap/patchbay').map((name) => `- ${name}`)],
  },
  {
    name: 'how often is asked whether it lives and is ready',
    set: {
      probes: { startup: { failureThreshold: 9 }, liveness: { periodSeconds: 7 }, readiness: { timeoutSeconds: 8 } },
    },
    changes: [
      `${CONTAINER} startupProbe failureThreshold: 60 → 9`,
      `${CONTAINER} livenessProbe periodSeconds: 10 → 7`,
      `${CONTAINER} readinessProbe timeoutSeconds: 3 → 8`,
    ],
  },
  {
    name: 'what a pod may use',
    set: { resources: { limits: { memory: '1Gi' } } },
    changes: [`${CONTAINER} resources limits memory: "512Mi" → "1Gi"`],
  },
  {
    name: 'labels and annotations of pods',
    set: { podLabels: { a: 'b' }, podAnnotations: { c: 'd' } },
    changes: [`${META} labels a: + "b"`, `${META} annotations c: + "d"`],
  },
  {
    name: 'variables and volumes',
    set: {
      extraEnv: [{ name: 'A', value: 'b' }],
      extraVolumes: [{ name: 'v', emptyDir: {} }],
      extraVolumeMounts: [{ name: 'v', mountPath: '/v' }],
    },
    changes: [
      `${CONTAINER} env A: + {"name":"A","value":"b"}`,
      `${CONTAINER} volumeMounts v: + {"mountPath":"/v","name":"v"}`,
      `${POD} volumes v: + {"emptyDir":{},"name":"v"}`,
    ],
  },
  {
    name: 'security contexts',
    set: { podSecurityContext: { fsGroup: 2000 }, securityContext: { runAsUser: 2000 } },
    changes: [
      `${POD} securityContext fsGroup: 1000 → 2000`,
      `${CONTAINER} securityContext runAsUser: 1000 → 2000`,
      'Pod/patchbay-test spec securityContext fsGroup: 1000 → 2000',
      'Pod/patchbay-test spec containers ask securityContext runAsUser: 1000 → 2000',
    ],
  },
  {
    name: 'where pods run',
    set: {
      nodeSelector: { disk: 'ssd' },
      affinity: { nodeAffinity: {} },
      tolerations: [{ key: 'voice', operator: 'Exists' }],
      priorityClassName: 'high',
    },
    changes: [
      `${POD} nodeSelector: + {"disk":"ssd"}`,
      `${POD} affinity: + {"nodeAffinity":{}}`,
      `${POD} tolerations: + [{"key":"voice","operator":"Exists"}]`,
      `${POD} priorityClassName: + "high"`,
      'Pod/patchbay-test spec nodeSelector: + {"disk":"ssd"}',
      'Pod/patchbay-test spec tolerations: + [{"key":"voice","operator":"Exists"}]',
    ],
  },
  {
    name: 'a ServiceAccount with a name and annotations',
    set: { serviceAccount: { name: 'voice', annotations: { a: 'b' } } },
    changes: ['+ ServiceAccount/voice', '- ServiceAccount/patchbay', `${POD} serviceAccountName: "patchbay" → "voice"`],
  },
  {
    name: 'no ServiceAccount',
    set: { serviceAccount: { create: false } },
    changes: ['- ServiceAccount/patchbay', `${POD} serviceAccountName: "patchbay" → "default"`],
  },
]
