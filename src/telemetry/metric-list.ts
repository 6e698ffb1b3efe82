/** A metric as it is told of: what Prometheus knows of it. */
interface MetricDeclaration {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** Closed sets, or bounded ones. */
  readonly labels: readonly string[]
  /** One sentence. */
  readonly help: string
}

/**
 * Every metric of ours; instruments are made from here, so there is no other. What the process tells of itself comes
 * beside them, under names that begin with `process_` and `nodejs_`.
 */
export const METRICS = [
  { name: 'gateway_build_info', kind: 'gauge', labels: ['version'], help: 'Always 1; the version is in the label.' },
  {
    name: 'gateway_ready',
    kind: 'gauge',
    labels: [],
    help: '1 while the gateway is ready, as /readyz tells it, else 0.',
  },
  {
    name: 'gateway_rules_info',
    kind: 'gauge',
    labels: ['revision'],
    help: 'Always 1; the revision of mappings and routes that holds is in the label.',
  },
  {
    name: 'gateway_reloads_total',
    kind: 'counter',
    labels: ['outcome'],
    help: 'Changes of mappings and routes, by what became of them.',
  },
  { name: 'gateway_taken_messages_total', kind: 'counter', labels: ['link'], help: 'Messages taken from a link.' },
  {
    name: 'gateway_duplicate_messages_total',
    kind: 'counter',
    labels: ['link'],
    help: 'Messages taken that were recognised as copies of others, and settled with these.',
  },
  {
    name: 'gateway_translated_messages_total',
    kind: 'counter',
    labels: ['route'],
    help: 'Messages translated for a route.',
  },
  {
    name: 'gateway_sent_messages_total',
    kind: 'counter',
    labels: ['link', 'route'],
    help: 'Messages that the target of a route confirmed.',
  },
  {
    name: 'gateway_suppressed_facts_total',
    kind: 'counter',
    labels: ['route'],
    help: 'Facts not sent because the target had been told already.',
  },
  {
    name: 'gateway_unsaid_facts_total',
    kind: 'counter',
    labels: ['route', 'kind'],
    help: 'Facts that the target dialect has no word for, by kind.',
  },
  {
    name: 'gateway_dead_letter_messages_total',
    kind: 'counter',
    labels: ['link', 'code'],
    help: 'Messages put aside with the reason, by error code.',
  },
  {
    name: 'gateway_dropped_messages_total',
    kind: 'counter',
    labels: ['link', 'reason'],
    help: 'Messages lost without a dead letter, by reason.',
  },
  {
    name: 'gateway_ignored_messages_total',
    kind: 'counter',
    labels: ['link', 'kind'],
    help: 'Messages passed over on purpose, by kind.',
  },
  {
    name: 'gateway_looped_messages_total',
    kind: 'counter',
    labels: ['link'],
    help: 'Messages cut because they had been here before or took too many hops.',
  },
  {
    name: 'gateway_unroutable_messages_total',
    kind: 'counter',
    labels: ['link'],
    help: 'Messages that the peer confirmed although nobody receives them.',
  },
  {
    name: 'gateway_unknown_words_total',
    kind: 'counter',
    labels: ['link'],
    help: 'Values of a wire that its mapping has no word for.',
  },
  {
    name: 'gateway_unmapped_fields_total',
    kind: 'counter',
    labels: ['link', 'field'],
    help: 'Fields of messages that no rule of the mapping knows, the first 64 of a link by name, all others together.',
  },
  {
    name: 'gateway_stage_seconds',
    kind: 'histogram',
    labels: ['stage'],
    help: 'Time that messages spent in each stage: read, from the receipt on; decide; write; confirm, until the target had done so.',
  },
  {
    name: 'gateway_delivery_seconds',
    kind: 'histogram',
    labels: ['route'],
    help: 'Time from the receipt of a message until the target of a route had confirmed all that was made of it.',
  },
  {
    name: 'gateway_commands_total',
    kind: 'counter',
    labels: ['link', 'method', 'code'],
    help: 'Requests of controllers that were carried out or refused, by the code of the answer.',
  },
  {
    name: 'gateway_command_seconds',
    kind: 'histogram',
    labels: ['link', 'method'],
    help: 'Time from the receipt of a request until its answer was known.',
  },
  { name: 'gateway_link_reconnects_total', kind: 'counter', labels: ['link'], help: 'Tries to connect again.' },
  {
    name: 'gateway_gaps_total',
    kind: 'counter',
    labels: ['link'],
    help: 'Times in which messages of a link may have been missed.',
  },
  {
    name: 'gateway_in_flight_messages',
    kind: 'gauge',
    labels: ['link'],
    help: 'Messages taken from a link and not settled yet.',
  },
  {
    name: 'gateway_outbox_messages',
    kind: 'gauge',
    labels: ['link'],
    help: 'Messages handed to a link and not confirmed yet.',
  },
  { name: 'gateway_calls', kind: 'gauge', labels: ['link'], help: 'Calls that are up, by the link that told of them.' },
  {
    name: 'gateway_steering_waits',
    kind: 'gauge',
    labels: ['link'],
    help: 'Commands, listeners and timers that wait for something to happen on an Asterisk.',
  },
  {
    name: 'gateway_certificate_expiry_seconds',
    kind: 'gauge',
    labels: ['link'],
    help: 'When the first certificate of a link ends, ours or the one its peer showed last, seconds UTC.',
  },
  {
    name: 'gateway_lease_held',
    kind: 'gauge',
    labels: ['link'],
    help: '1 while this replica takes from a link, else 0; only of links that one replica alone takes from.',
  },
  { name: 'gateway_link_up', kind: 'gauge', labels: ['link'], help: '1 while a link is connected, else 0.' },
] as const satisfies readonly MetricDeclaration[]

/** A metric by its kind. */
export type MetricName<K extends MetricDeclaration['kind'] = MetricDeclaration['kind']> = Extract<
  (typeof METRICS)[number],
  { readonly kind: K }
>['name']

/** What is declared of a metric. */
export function declared(name: MetricName): MetricDeclaration {
  return METRICS.find((metric) => metric.name === name)! // names are taken from there
}
