import { BROKER_SCENARIOS } from './brokers.js'
import { AWAY_SCENARIOS } from './everybody-away.js'
import { LINK_SCENARIOS } from './links.js'
import { POISON_SCENARIOS } from './poison.js'
import { REPLICA_SCENARIOS } from './replica-kills.js'
import type { Scenario } from './scenario.js'

/** All there are, in the order in which they are run. */
export const SCENARIOS: readonly Scenario[] = [
  ...REPLICA_SCENARIOS,
  ...AWAY_SCENARIOS,
  ...LINK_SCENARIOS,
  ...BROKER_SCENARIOS,
  ...POISON_SCENARIOS,
]
