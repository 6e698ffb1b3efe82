import { told } from '../differences.js'
import { ALL, APPS, APPS_TOLD, type Case, CONTAINER, merge, PBX, PBX_TOLD, POLICY, RESTART, SIDECAR } from './case.js'

const PEER = { podSelector: { matchLabels: { app: 'x' } } }

/** Values of what is around the pods: monitoring, and who may talk to them. */
export const SURROUNDINGS: readonly Case[] = [
  {
    name: 'a ServiceMonitor',
    set: { metrics: { serviceMonitor: { enabled: true } } },
    changes: ['+ ServiceMonitor/patchbay'],
  },
  {
    name: 'how a Service is scraped',
    from: { metrics: { serviceMonitor: { enabled: true } } },
    set: { metrics: { serviceMonitor: { labels: { a: 'b' }, interval: '1m', scrapeTimeout: '5s' } } },
    changes: [
      'ServiceMonitor/patchbay metadata labels a: + "b"',
      'ServiceMonitor/patchbay spec endpoints 0 interval: "15s" → "1m"',
      'ServiceMonitor/patchbay spec endpoints 0 scrapeTimeout: "10s" → "5s"',
    ],
  },
  { name: 'a PodMonitor', set: { metrics: { podMonitor: { enabled: true } } }, changes: ['+ PodMonitor/patchbay'] },
  {
    name: 'how pods are scraped',
    from: { metrics: { podMonitor: { enabled: true } } },
    set: { metrics: { podMonitor: { labels: { a: 'b' }, interval: '1m', scrapeTimeout: '5s' } } },
    changes: [
      'PodMonitor/patchbay metadata labels a: + "b"',
      'PodMonitor/patchbay spec podMetricsEndpoints 0 interval: "15s" → "1m"',
      'PodMonitor/patchbay spec podMetricsEndpoints 0 scrapeTimeout: "10s" → "5s"',
    ],
  },
  {
    name: 'pods of an Asterisk',
    from: merge(SIDECAR, { sidecar: { podLabels: { app: 'a' } }, metrics: { podMonitor: { enabled: true } } }),
    set: { sidecar: { podLabels: { app: 'b' } } },
    changes: ['PodMonitor/patchbay spec selector matchLabels app: "a" → "b"'],
  },
  { name: 'alerts', set: { metrics: { prometheusRule: { enabled: true } } }, changes: ['+ PrometheusRule/patchbay'] },
  {
    name: 'alerts for sidecars, each of which takes from its links',
    from: { metrics: { prometheusRule: { enabled: true } } },
    set: SIDECAR,
    changes: [
      ...ALL.filter((name) => name !== 'ConfigMap/patchbay').map((name) => `- ${name}`),
      'PrometheusRule/patchbay spec groups patchbay.links rules 0 expr: … → …',
      'PrometheusRule/patchbay spec groups patchbay.links rules 2 expr: … → …',
      'PrometheusRule/patchbay spec groups patchbay.links rules 3 expr: … → …',
    ],
  },
  {
    name: 'what alerts look at',
    from: { metrics: { prometheusRule: { enabled: true } } },
    set: { metrics: { prometheusRule: { labels: { a: 'b' }, memoryBytes: 2_000_000_000 } } },
    changes: [
      'PrometheusRule/patchbay metadata labels a: + "b"',
      'PrometheusRule/patchbay spec groups patchbay.pods rules 3 expr: … → …',
    ],
  },
  {
    name: 'a dashboard',
    set: { metrics: { dashboard: { enabled: true } } },
    changes: ['+ ConfigMap/patchbay-dashboard'],
  },
  {
    name: 'how Grafana finds it',
    from: { metrics: { dashboard: { enabled: true } } },
    set: {
      metrics: { dashboard: { labels: { grafana_dashboard: null, dash: 'yes' }, annotations: { folder: 'Voice' } } },
    },
    changes: [
      'ConfigMap/patchbay-dashboard metadata labels grafana_dashboard: - "1"',
      'ConfigMap/patchbay-dashboard metadata labels dash: + "yes"',
      'ConfigMap/patchbay-dashboard metadata annotations: + {"folder":"Voice"}',
    ],
  },
  { name: 'a NetworkPolicy', set: POLICY, changes: ['+ NetworkPolicy/patchbay'] },
  {
    name: 'where brokers are, and who scrapes',
    from: POLICY,
    set: { networkPolicy: { brokers: [PEER], scrapers: [PEER] } },
    changes: [
      `NetworkPolicy/patchbay spec egress 1 to: + ${told([PEER])}`,
      `NetworkPolicy/patchbay spec ingress 0 from 1: + ${told(PEER)}`,
    ],
  },
  {
    name: 'a NetworkPolicy with links to an Asterisk and for ARI applications',
    from: POLICY,
    set: merge(APPS, PBX),
    changes: [
      '+ Service/patchbay',
      APPS_TOLD,
      PBX_TOLD,
      `${CONTAINER} ports ari-8088: + {"containerPort":8088,"name":"ari-8088"}`,
      `${CONTAINER} ports ari-8090: + {"containerPort":8090,"name":"ari-8090"}`,
      'NetworkPolicy/patchbay spec egress 2: + {"ports":[{"port":8089}]}',
      'NetworkPolicy/patchbay spec ingress 1: + {"ports":[{"port":8088}]}',
      'NetworkPolicy/patchbay spec ingress 2: + {"ports":[{"port":8090}]}',
      RESTART,
    ],
  },
  {
    name: 'where Asterisks and ARI applications are',
    from: merge(POLICY, APPS, PBX),
    set: { networkPolicy: { asterisks: [PEER], ariClients: [PEER] } },
    changes: [
      `NetworkPolicy/patchbay spec egress 2 to: + ${told([PEER])}`,
      `NetworkPolicy/patchbay spec ingress 1 from: + ${told([PEER])}`,
      `NetworkPolicy/patchbay spec ingress 2 from: + ${told([PEER])}`,
    ],
  },
  {
    name: 'more that pods may reach',
    from: POLICY,
    set: { networkPolicy: { extraEgress: [{ to: [PEER], ports: [{ port: 4318 }] }] } },
    changes: [`NetworkPolicy/patchbay spec egress 2: + {"ports":[{"port":4318}],"to":${told([PEER])}}`],
  },
]
