import { expect, test } from 'vitest'
import { APPS, merge, PBX } from './cases/case.js'
import { refusal } from './chart.js'

const link = (name: string, values: object) => ({ config: { links: { [name]: values } } })

const REFUSED: readonly (readonly [name: string, values: object, told: string])[] = [
  ['a key that is none', { replicas: 2 }, '(root): Additional property replicas is not allowed'],
  ['a key of an image', { image: { name: 'x' } }, 'image: Additional property name is not allowed'],
  [
    'a key of a probe',
    { probes: { liveness: { path: '/' } } },
    'probes.liveness: Additional property path is not allowed',
  ],
  ['a key of a monitor', { metrics: { podMonitor: { on: true } } }, 'metrics.podMonitor: Additional property on'],
  [
    'a key of a peer',
    { networkPolicy: { brokers: [{ pods: {} }] } },
    'networkPolicy.brokers.0: Additional property pods',
  ],
  ['a key of a toleration', { tolerations: [{ effekt: 'x' }] }, 'tolerations.0: Additional property effekt'],
  ['a key of a variable', { extraEnv: [{ name: 'A', valeu: '' }] }, 'extraEnv.0: Additional property valeu'],
  ['a key of the configuration', { config: { grup: 'x' } }, 'config: Additional property grup is not allowed'],
  ['a key of a link', link('bus', { url: 'nats://x' }), 'config.links.bus: Additional property url is not allowed'],
  [
    'a key deep in a link',
    link('legacy', { queue: { nam: 'x' } }),
    'config.links.legacy.queue: Additional property nam',
  ],
  [
    'a key of a route',
    { config: { routes: [{ from: 'a', to: 'b', via: 'c' }] } },
    'config.routes.0: Additional property via',
  ],
  ['a text for a number', { replicaCount: '2' }, 'replicaCount: Invalid type. Expected: integer, given: string'],
  ['no replica', { replicaCount: 0 }, 'replicaCount: Must be greater than or equal to 1'],
  ['shards', { shards: 65 }, 'shards: Must be less than or equal to 64'],
  ['a text for a switch', { sidecar: { enabled: 'yes' } }, 'sidecar.enabled: Invalid type. Expected: boolean'],
  ['a number for a label', { podLabels: { version: 1 } }, 'podLabels.version: Invalid type. Expected: string'],
  [
    'a label that the pods are found by',
    { podLabels: { 'app.kubernetes.io/component': 'x' } },
    'podLabels: Property name of "app.kubernetes.io/component"',
  ],
  [
    'a label that all of it is found by',
    { commonLabels: { 'app.kubernetes.io/name': 'x' } },
    'commonLabels: Property name of "app.kubernetes.io/name"',
  ],
  [
    'another release as a label',
    { podLabels: { 'app.kubernetes.io/instance': 'x' } },
    'podLabels: Property name of "app.kubernetes.io/instance"',
  ],
  [
    'another chart as a label',
    { commonLabels: { 'helm.sh/chart': 'x' } },
    'commonLabels: Property name of "helm.sh/chart"',
  ],
  [
    'a label of a monitor that the chart sets',
    { metrics: { podMonitor: { labels: { 'app.kubernetes.io/managed-by': 'x' } } } },
    'metrics.podMonitor.labels: Property name of "app.kubernetes.io/managed-by"',
  ],
  ['an object for a name', { imagePullSecrets: [{ name: 'x' }] }, 'imagePullSecrets.0: Invalid type. Expected: string'],
  ['a name that is none', { secrets: { env: ['My_Secret'] } }, 'secrets.env.0: Does not match pattern'],
  [
    'a folder out of the folder',
    { secrets: { files: { '../x': 'y' } } },
    'secrets.files: Property name of "../x" does not match',
  ],
  ['a mapping file in a folder', { mappings: { files: { 'site/a.yaml': 'x' } } }, 'Property name of "site/a.yaml"'],
  [
    'a mapping that is no text',
    { mappings: { files: { 'a.yaml': { mapping: 'v1' } } } },
    'mappings.files.a.yaml: Invalid type',
  ],
  ['a digest that is none', { image: { digest: 'sha256:1' } }, 'image.digest: Does not match pattern'],
  ['a time that is none', { metrics: { podMonitor: { interval: 15 } } }, 'metrics.podMonitor.interval: Invalid type'],
  ['a type of Service', { service: { type: 'Ingress' } }, 'service.type: service.type must be one of'],
  ['a kind of link', link('x', { type: 'kafka' }), 'config.links.x.type: config.links.x.type must be one of'],
  ['a link of no kind', link('x', { url: 'amqp://x' }), 'config.links.x: type is required'],
  ['a link that lacks something', link('x', { type: 'nats', dialect: 'xcc' }), 'config.links.x: servers is required'],
  ['no links', { config: { links: null } }, 'config: links is required'],
  ['a number of a link', link('legacy', { prefetch: 'many' }), 'config.links.legacy.prefetch'],
  ['a number that is too large', { config: { admin: { port: 70_000 } } }, 'config.admin.port'],
  ['a log level', { config: { log: { level: 'loud' } } }, 'config.log.level'],
  ['a password in the text', link('legacy', { password: 'hunter2' }), 'config.links.legacy.password'],
  ['a password as a default', link('legacy', { password: `\${P:-hunter2}` }), 'config.links.legacy.password'],
  ['a password in an address', link('legacy', { url: 'amqp://u:hunter2@rabbit' }), 'config.links.legacy.url'],
  [
    'a password of a list',
    merge(APPS, link('apps', { users: [{ name: 'a', password: 'b' }] })),
    'config.links.apps.users.0.password',
  ],
  [
    'a password of a listener',
    merge(PBX, link('pbx', { listen: { password: 'b' } })),
    'config.links.pbx.listen.password',
  ],
  ['a key in the text', link('legacy', { tls: { key: '-----BEGIN PRIVATE KEY-----' } }), 'config.links.legacy.tls.key'],
  ['a token in the text', link('bus', { token: 'hunter2' }), 'config.links.bus.token'],
]

test.each(REFUSED)('refuses %s', (_, values, told) => {
  expect(refusal(values)).toContain(told)
})

const TAKEN: readonly (readonly [name: string, values: object])[] = [
  ['variables in texts', { config: { group: `\${POD_NAME}`, links: { bus: { servers: [`\${BUS:-nats://nats}`] } } } }],
  ['variables for numbers', { config: { limits: { bytes: `\${BYTES}` } } }],
  ['a password in a variable', link('legacy', { password: `\${LEGACY_PASSWORD}` })],
  ['an authority, which is no secret', link('legacy', { tls: { ca: '-----BEGIN CERTIFICATE-----\n' } })],
  ['labels of an Asterisk, which may be any', { sidecar: { podLabels: { 'app.kubernetes.io/name': 'asterisk' } } }],
  ['a password from a file', link('legacy', { password: { file: '/run/secrets/legacy/password' } })],
]

test.each(TAKEN)('takes %s', (_, values) => {
  expect(refusal(values)).toBe('taken')
})
