import { expect, test } from 'vitest'
import { APPS, merge, PBX, POLICY, SHARED, SHARES, SIDECAR } from './cases/case.js'
import { refusal } from './chart.js'

const REFUSED: readonly (readonly [name: string, values: object, told: string])[] = [
  ['replicas that share nothing', { replicaCount: 2 }, 'replicaCount: 2 pods need `config.state: jetstream`'],
  [
    'autoscaling of what takes no load',
    { autoscaling: { enabled: true } },
    'autoscaling.enabled: one replica takes from a link',
  ],
  [
    'autoscaling of pods that share nothing',
    { shards: 2, autoscaling: { enabled: true }, config: SHARES },
    'autoscaling.enabled: several pods need `config.state: jetstream`',
  ],
  [
    'autoscaling of pods that get nothing',
    { shards: 2, autoscaling: { enabled: true }, config: { ...SHARES, state: 'jetstream' } },
    'autoscaling.enabled: a pod that comes later gets no shard',
  ],
  [
    'a shard where there is none',
    { config: { ...SHARES, state: 'jetstream', store: { link: 'bus-SHARD' } } },
    'config: `bus-SHARD` stands where no shard is',
  ],
  [
    'a shard that would be a number',
    { config: merge(SHARES, { links: { 'bus-SHARD': { node: { uuid: 'SHARD' } } } }) },
    'config: SHARD alone would become a number',
  ],
  ['shards of nothing', { shards: 2 }, 'shards: there is nothing to make 2 of'],
  ['an admin port that is not known', { config: { admin: { port: `\${PORT}` } } }, 'config.admin.port: want a number'],
  ['an admin port that nobody finds', { config: { admin: { port: 0 } } }, 'config.admin.port: want a number'],
  [
    'an admin server that nobody reaches',
    { config: { admin: { host: '127.0.0.1' } } },
    'config.admin.host: kubelet and scraper',
  ],
  ['a stop of unknown length', { config: { stopGraceMs: `\${GRACE}` } }, 'config.stopGraceMs: want a number'],
  [
    'a grace period that ends before the stop',
    { terminationGracePeriodSeconds: 24 },
    'terminationGracePeriodSeconds: a stop may take 25 s, so a pod would be killed after 24; want at least 25, or 0',
  ],
  [
    'a link that nobody reaches',
    merge(APPS, { config: { links: { apps: { host: 'localhost' } } } }),
    'config.links.apps.host: nobody',
  ],
  [
    'a listening link that nobody reaches',
    merge(PBX, { config: { links: { pbx: { listen: { host: '127.0.0.1' } } } } }),
    'config.links.pbx.listen.host: nobody',
  ],
  [
    'a link on a port that is not known',
    merge(APPS, { config: { links: { apps: { port: `\${P}` } } } }),
    'config.links.apps.port: want a number',
  ],
  [
    'a mapping file called like the configuration',
    { mappings: { files: { 'patchbay.yaml': 'a' } } },
    'mappings.files: `patchbay.yaml`',
  ],
  [
    'more than fits into a ConfigMap',
    { mappings: { files: { 'a.yaml': 'x'.repeat(1_100_000) } } },
    'do not fit into a ConfigMap',
  ],
  [
    'two ways to scrape',
    { metrics: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } } },
    'metrics: with serviceMonitor and podMonitor everything would be counted twice',
  ],
  [
    'a NetworkPolicy for an address with a variable',
    merge(POLICY, { config: { links: { bus: { servers: [`\${BUS}`] } } } }),
    `networkPolicy: the port of \${BUS} is not known here`,
  ],
  [
    'a NetworkPolicy that keeps the scraper of a ServiceMonitor out',
    merge(POLICY, { metrics: { serviceMonitor: { enabled: true } } }),
    'networkPolicy.scrapers: the policy keeps Prometheus from the pods',
  ],
  [
    'a NetworkPolicy that keeps the scraper of a PodMonitor out',
    merge(POLICY, { metrics: { podMonitor: { enabled: true } } }),
    'networkPolicy.scrapers: the policy keeps Prometheus from the pods',
  ],
  ['a sidecar with a NetworkPolicy', merge(SIDECAR, POLICY), 'so it has no networkPolicy for them'],
  ['several sidecars in a pod', merge(SIDECAR, SHARED), 'so it has no replicaCount above 1 for them'],
  [
    'a sidecar with a Service',
    merge(SIDECAR, { metrics: { serviceMonitor: { enabled: true } } }),
    'so it has no metrics.serviceMonitor',
  ],
  [
    'a PodMonitor for no pods',
    merge(SIDECAR, { metrics: { podMonitor: { enabled: true } } }),
    'sidecar.podLabels: the PodMonitor finds',
  ],
]

test.each(REFUSED)('values that do not go together: %s', (_, values, told) => {
  expect(refusal(values)).toContain(told)
})

test('a NetworkPolicy that names the scraper goes with a monitor', () => {
  const scrapers = [{ namespaceSelector: { matchLabels: { a: 'b' } } }]
  const values = { networkPolicy: { enabled: true, scrapers }, metrics: { serviceMonitor: { enabled: true } } }
  expect(refusal(values)).toBe('taken')
})

test('all that does not go together is told at once', () => {
  const told = refusal({ replicaCount: 2, terminationGracePeriodSeconds: 1, config: { admin: { host: 'localhost' } } })
  expect(told).toMatch(/replicaCount: .*\nconfig\.admin\.host: .*\nterminationGracePeriodSeconds: /)
})
