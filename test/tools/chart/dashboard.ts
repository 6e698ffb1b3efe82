/** Series of the pods that the dashboard is set to. */
const OURS = 'namespace=~"$namespace", job=~"$job", instance=~"$instance"'
const of = (metric: string, more = '') => `${metric}{${OURS}${more === '' ? '' : `, ${more}`}}`
const rate = (metric: string, more = '') => `rate(${of(metric, more)}[$__rate_interval])`
const sum = (by: string, expression: string) => `sum by (${by}) (${expression})`
const quantile = (part: number, by: string, metric: string) =>
  `histogram_quantile(${part}, sum by (le, ${by}) (${rate(`${metric}_bucket`)}))`

/** A query and how its series are called. */
type Query = readonly [expression: string, legend: string]

interface Panel {
  readonly title: string
  readonly about: string
  readonly unit: string
  readonly kind?: 'stat'
  readonly queries: readonly Query[]
}

interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

const panel = (title: string, unit: string, about: string, ...queries: readonly Query[]): Panel => ({
  title,
  unit,
  about,
  queries,
})
const stat = (title: string, unit: string, about: string, ...queries: readonly Query[]): Panel => ({
  ...panel(title, unit, about, ...queries),
  kind: 'stat',
})

const perSecond = (title: string, about: string, metric: string, by: readonly string[]) =>
  panel(title, 'ops', about, [`${sum(by.join(', '), rate(metric))} > 0`, by.map((label) => `{{${label}}}`).join(' · ')])

const ROWS: readonly Row[] = [
  {
    title: 'At a glance',
    panels: [
      stat('Ready', 'none', 'Replicas that are ready.', [`sum(${of('gateway_ready')})`, 'ready']),
      stat('Calls', 'none', 'Calls that are up, by link.', [`max by (link) (${of('gateway_calls')})`, '{{link}}']),
      stat('Rules', 'none', 'Replicas by the revision that they go by: there should be one.', [
        `count by (revision) (${of('gateway_rules_info')})`,
        '{{revision}}',
      ]),
      stat('Version', 'none', 'Replicas by version.', [
        `count by (version) (${of('gateway_build_info')})`,
        '{{version}}',
      ]),
      panel('Links up', 'none', '1 while a link is connected; 0 on a replica that stands by for an Asterisk.', [
        of('gateway_link_up'),
        '{{instance}} · {{link}}',
      ]),
      panel('Who takes', 'none', '1 for the replica that takes from a link.', [
        of('gateway_lease_held'),
        '{{instance}} · {{link}}',
      ]),
    ],
  },
  {
    title: 'Messages',
    panels: [
      perSecond('Taken', 'Messages a second, by the link they came from.', 'gateway_taken_messages_total', ['link']),
      perSecond('Translated', 'Messages a second, by route.', 'gateway_translated_messages_total', ['route']),
      perSecond('Sent', 'Confirmed messages a second, by route and target.', 'gateway_sent_messages_total', [
        'route',
        'link',
      ]),
      panel('In flight', 'none', 'Messages that were taken and are not settled.', [
        of('gateway_in_flight_messages'),
        '{{instance}} · {{link}}',
      ]),
      panel('Outbox', 'none', 'Messages that a target has not confirmed.', [
        of('gateway_outbox_messages'),
        '{{instance}} · {{link}}',
      ]),
      perSecond(
        'Suppressed',
        'Facts not sent, for the target had been told already.',
        'gateway_suppressed_facts_total',
        ['route'],
      ),
    ],
  },
  {
    title: 'Latency',
    panels: [
      panel(
        'Delivery',
        's',
        'From the receipt of a message to the confirmation of its target.',
        [quantile(0.5, 'route', 'gateway_delivery_seconds'), '{{route}} p50'],
        [quantile(0.99, 'route', 'gateway_delivery_seconds'), '{{route}} p99'],
      ),
      panel('Stages', 's', 'Where the time goes, 99th percentile.', [
        quantile(0.99, 'stage', 'gateway_stage_seconds'),
        '{{stage}}',
      ]),
      panel('Late deliveries', 'percentunit', 'Share of messages that took longer than 250 ms; the aim is 1 %.', [
        `1 - sum(${rate('gateway_delivery_seconds_bucket', 'le="0.25"')}) / sum(${rate('gateway_delivery_seconds_count')})`,
        'late',
      ]),
    ],
  },
  {
    title: 'What did not arrive',
    panels: [
      perSecond('Dead letters', 'Messages put aside, by error code.', 'gateway_dead_letter_messages_total', [
        'link',
        'code',
      ]),
      perSecond('Dropped', 'Messages that are lost.', 'gateway_dropped_messages_total', ['link', 'reason']),
      perSecond('Gaps', 'Times in which something may have been missed.', 'gateway_gaps_total', ['link']),
      perSecond('Unroutable', 'Confirmed messages that nobody receives.', 'gateway_unroutable_messages_total', [
        'link',
      ]),
      perSecond('Unsaid', 'Facts that a dialect has no word for.', 'gateway_unsaid_facts_total', ['route', 'kind']),
      perSecond('Unmapped', 'Fields that no rule knows.', 'gateway_unmapped_fields_total', ['link', 'field']),
      perSecond('Unknown words', 'Values that a mapping has no word for.', 'gateway_unknown_words_total', ['link']),
      perSecond('Loops', 'Messages that had been here before.', 'gateway_looped_messages_total', ['link']),
      perSecond('Passed over', 'Messages that are not for us.', 'gateway_ignored_messages_total', ['link', 'kind']),
      perSecond('Duplicates', 'Copies that were recognised.', 'gateway_duplicate_messages_total', ['link']),
      perSecond('Reconnects', 'Tries to connect again.', 'gateway_link_reconnects_total', ['link']),
      perSecond('Reloads', 'Changes of rules, by what became of them.', 'gateway_reloads_total', ['outcome']),
    ],
  },
  {
    title: 'Commands',
    panels: [
      perSecond('Commands', 'Commands a second, by method and answer.', 'gateway_commands_total', ['method', 'code']),
      panel('Command time', 's', '99th percentile, by method.', [
        quantile(0.99, 'method', 'gateway_command_seconds'),
        '{{method}}',
      ]),
      panel('Waits', 'none', 'What waits for something to happen on an Asterisk.', [
        of('gateway_steering_waits'),
        '{{instance}} · {{link}}',
      ]),
    ],
  },
  {
    title: 'Process',
    panels: [
      panel(
        'Memory',
        'bytes',
        'Resident memory, and the heap in use.',
        [of('process_resident_memory_bytes'), '{{instance}} resident'],
        [of('nodejs_heap_size_used_bytes'), '{{instance}} heap'],
      ),
      panel('CPU', 'none', 'Cores in use.', [rate('process_cpu_seconds_total'), '{{instance}}']),
      panel(
        'Event loop',
        's',
        'How late the event loop is.',
        [of('nodejs_eventloop_lag_p99_seconds'), '{{instance}} p99'],
        [of('nodejs_eventloop_lag_max_seconds'), '{{instance}} most'],
      ),
      panel('Certificates', 's', 'Time until the first certificate of a link ends.', [
        `min by (link) (${of('gateway_certificate_expiry_seconds')}) - time()`,
        '{{link}}',
      ]),
    ],
  },
]

const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` }
/** Size of a panel; three stand in a line of 24. */
const WIDTH = 8
const HEIGHT = 7

/** The dashboard as Grafana imports it. */
export function dashboard(): object {
  const panels: object[] = []
  let y = 0
  for (const row of ROWS) {
    panels.push({ id: panels.length + 1, type: 'row', title: row.title, gridPos: { x: 0, y, w: 24, h: 1 } })
    y += 1
    row.panels.forEach((each, at) => {
      const gridPos = { x: (at % 3) * WIDTH, y: y + Math.floor(at / 3) * HEIGHT, w: WIDTH, h: HEIGHT }
      panels.push(drawn(each, panels.length + 1, gridPos))
    })
    y += Math.ceil(row.panels.length / 3) * HEIGHT
  }
  return {
    uid: 'patchbay',
    title: 'Patchbay',
    tags: ['patchbay'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: { list: variables() },
    panels,
  }
}

function drawn({ title, about, unit, kind, queries }: Panel, id: number, gridPos: object): object {
  return {
    id,
    type: kind ?? 'timeseries',
    title,
    description: about,
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, ...(kind === undefined && { min: 0 }) }, overrides: [] },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] }, textMode: 'value_and_name', graphMode: 'none' }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
    targets: queries.map(([expr, legendFormat], at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: DATASOURCE,
      expr,
      legendFormat,
      ...(kind === 'stat' && { instant: true }),
    })),
  }
}

function variables(): object[] {
  const labels = ['namespace', 'job', 'instance'].map((label, at, all) => {
    const before = all.slice(0, at).map((other) => `${other}=~"$${other}"`)
    const series = before.length === 0 ? 'gateway_build_info' : `gateway_build_info{${before.join(', ')}}`
    return {
      name: label,
      type: 'query',
      datasource: DATASOURCE,
      query: { query: `label_values(${series}, ${label})`, refId: label },
      refresh: 2,
      multi: true,
      includeAll: true,
      allValue: '.*',
      current: { text: ['All'], value: ['$__all'] },
    }
  })
  return [{ name: 'datasource', type: 'datasource', query: 'prometheus', current: {} }, ...labels]
}
