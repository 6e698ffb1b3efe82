import type { Applications } from './applications.js'
import type { Identity } from './identity.js'
import type { Shadow } from './shadow.js'
import type { Switchboard } from './switchboard.js'

/** What operations read and act on. */
export interface World {
  readonly identity: Identity
  readonly shadow: Shadow
  readonly applications: Applications
  readonly switchboard: Switchboard
}
