// Generated from proto/patchbay/v1 by `npm run generate`; a test holds the two equal.

/** Where a fact comes from and how it is told apart from every other. */
export interface Meta {
  /** Names the fact on every bus it travels. */
  id?: string
  /** The id is the publisher's own (message id and element, or a sequence), not derived from content. */
  sourced?: boolean
  origin?: Origin
  /** When it happened, or when we learned of it. */
  at?: number
  clock?: Clock
  /** Revision of the mapping that read it. */
  revision?: string
  /** Groups the fact passed through, oldest first. */
  path?: string[]
  part?: Part
}

/** Who told: a gateway group, a link of it, and the switch behind the link. */
export interface Origin {
  group?: string
  link?: string
  node?: string
}

/** Whose clock a time is from. */
export type Clock = 'source' | 'receipt'

/** The place of a fact in the wire message it was told in, so that the message can be put together again. */
export interface Part {
  message?: string
  index?: number
  count?: number
}

/** One leg of a call, as its switch sees it. */
export interface Channel {
  /** Unique together with node. */
  id?: string
  node?: string
  /** Shared by all legs of one call. */
  call?: string
  /** SIP Call-ID where known. */
  correlate?: string
  /** The legacy side's session number. */
  session?: number
  direction?: Direction
  caller?: Party
  callee?: Party
  /** What was dialled, as dialled. */
  dialled?: string
  peers?: string[]
  /** The controller that owns the call. */
  controller?: string
  times?: Times
  cause?: Cause
  vars?: Record<string, string>
  state?: State
  flags?: Flags
  change?: Change
  durations?: Durations
  /** Dial number of the terminal this leg belongs to. */
  terminal?: string
  /**
   * The parties as one leg sees them: who is at its own end, and whom it is connected to. Which of
   * the two is the caller follows from the direction.
   */
  own?: Party
  far?: Party
  /** The bridge this leg is in; without an id it is in none. */
  bridge?: Membership
  /** Serial number of the terminal this leg belongs to. */
  serial?: string
}

/** A leg's place in a bridge, with everyone who is in it. */
export interface Membership {
  id?: string
  type?: string
  /** Channel ids, the leg's own among them while it is inside. */
  members?: string[]
}

export type Direction = 'inbound' | 'outbound'

export interface Party {
  name?: string
  number?: string
}

export interface Times {
  created?: number
  ringing?: number
  answered?: number
  ended?: number
}

export interface Cause {
  /** Q.850. */
  code?: number
  /** The name FreeSWITCH gives the cause, such as NORMAL_CLEARING. */
  name?: string
  /** Final code of the signalling protocol, such as a SIP status. */
  protocol?: number
}

export type State = 'new' | 'ringing' | 'early' | 'answered' | 'ended'

export interface Flags {
  held?: boolean
  bridged?: boolean
  ready?: boolean
  loopback?: boolean
  controllable?: boolean
  /** Applications are offered it, and the first that claims it has it; false once one of them did. */
  offered?: boolean
}

/** What a channel fact announces. */
export type Change =
  | 'state'
  | 'bridge'
  | 'hold'
  | 'ready'
  | 'vars'
  | 'owner'
  | 'control'
  | 'parties'
  | 'hangup'
  | 'offer'

/** Milliseconds. Absent where the times they stand between are not known. */
export interface Durations {
  total?: number
  billed?: number
}

export interface Bridge {
  id?: string
  node?: string
  type?: string
  members?: string[]
  change?: BridgeChange
}

export type BridgeChange = 'created' | 'members' | 'merged' | 'destroyed'

export interface Transfer {
  node?: string
  type?: string
  /** The channel that transfers, the one transferred, and where to. */
  by?: string
  who?: string
  target?: string
  result?: string
}

/** A telephone, known by its serial number. */
export interface Terminal {
  serial?: string
  number?: string
  state?: TerminalState
  address?: string
  roundTripUs?: number
  node?: string
  change?: TerminalChange
}

export type TerminalState = 'online' | 'offline'

/** What a terminal fact tells: whether it is reachable, which number it has, or how it is reached. */
export type TerminalChange = 'state' | 'number' | 'contact'

export interface Device {
  name?: string
  state?: DeviceState
  /** The state of all servers together, not of one. */
  aggregate?: boolean
  node?: string
}

export type DeviceState =
  | 'unknown'
  | 'not-inuse'
  | 'inuse'
  | 'busy'
  | 'invalid'
  | 'unavailable'
  | 'ringing'
  | 'ringinuse'
  | 'onhold'

export interface Mailbox {
  name?: string
  newMessages?: number
  oldMessages?: number
  node?: string
}

export interface Dtmf {
  channel?: string
  node?: string
  digit?: string
  durationMs?: number
  controller?: string
}

export interface Playback {
  channel?: string
  node?: string
  id?: string
  media?: string
  state?: MediaState
  controller?: string
}

export type MediaState = 'started' | 'finished' | 'failed' | 'continuing'

export interface Recording {
  channel?: string
  node?: string
  name?: string
  state?: MediaState
  durationMs?: number
  sizeBytes?: number
  cause?: string
  controller?: string
}

export interface Speech {
  channel?: string
  node?: string
  type?: string
  text?: string
  confidence?: number
  last?: boolean
  engine?: string
  controller?: string
}

export interface Conference {
  name?: string
  channel?: string
  node?: string
  action?: string
  muted?: boolean
}

/** A switch came, changed or left. */
export interface Node {
  id?: string
  name?: string
  change?: NodeChange
  ip?: string
  version?: string
  address?: string
  figures?: Figures
}

export type NodeChange = 'came' | 'changed' | 'left'

export interface Figures {
  uptimeSeconds?: number
  sessions?: number
  sessionsMax?: number
  sessionsSinceStartup?: number
}

/** Something happened to a terminal or a publisher as a whole. */
export interface Lifecycle {
  event?: LifecycleEvent
  /** Dial number of the terminal, for the events that concern one. */
  number?: string
  node?: string
}

export type LifecycleEvent = 'voice-crash' | 'reboot' | 'reboot-calls' | 'cluster-master' | 'cluster-backup'

/** Of what a picture is. */
export type Scope = 'channels' | 'terminals' | 'numbers' | 'bridges' | 'devices'

/** Somebody asks for a full picture. */
export interface Sync {
  of?: Scope
}

/** An origin's full picture is complete, and these are the ids in it; also none. */
export interface Snapshot {
  of?: Scope
  ids?: string[]
}

/** Events of a source may have been missed between two times. */
export interface Gap {
  from?: number
  until?: number
  reason?: string
  node?: string
}

/** Something a dialect says that has no kind of its own. */
export interface Custom {
  name?: string
  /** JSON text. */
  body?: string
  channel?: string
  node?: string
}

/** A request to do something, with the time after which it must not be begun any more. */
export interface Command {
  id?: string
  /** UTC milliseconds. */
  deadline?: number
  /** Where the result goes: the address of a requester's reply, in the words of its wire. */
  reply?: Record<string, string>
  /** The controller or application that asks. */
  requester?: string
  node?: string
  channel?: string
  verb?: Verb
  /** Arguments by name, typed JSON text. */
  args?: Record<string, string>
}

export type Verb =
  | 'accept'
  | 'answer'
  | 'hangup'
  | 'hold'
  | 'mute'
  | 'dtmf'
  | 'setvars'
  | 'getvars'
  | 'state'
  | 'play'
  | 'stop'
  | 'record'
  | 'digits'
  | 'broadcast'
  | 'fork'
  | 'dial'
  | 'bridge'
  | 'join'
  | 'split'
  | 'transfer'
  | 'consult'
  | 'intercept'
  | 'threeway'
  | 'conference'
  | 'node-status'
  | 'node-shutdown'
  | 'native'

/** What became of a command. */
export interface Result {
  /** The command's id. */
  command?: string
  outcome?: Outcome
  /** In the numbers of XCC: 200 done, 4xx, 5xx. */
  code?: number
  text?: string
  data?: Record<string, string>
}

export type Outcome = 'done' | 'failed' | 'unknown'

/** Body of each kind of fact. */
export interface FactBodies {
  channel: Channel
  cdr: Channel
  bridge: Bridge
  transfer: Transfer
  terminal: Terminal
  device: Device
  mailbox: Mailbox
  dtmf: Dtmf
  playback: Playback
  recording: Recording
  speech: Speech
  conference: Conference
  node: Node
  lifecycle: Lifecycle
  sync: Sync
  snapshot: Snapshot
  gap: Gap
  custom: Custom
}

/** The kinds of facts. */
export type FactKind = keyof FactBodies

/** Type of one field of a fact. `values` lists a closed set. */
export interface FieldShape {
  readonly type: 'string' | 'boolean' | 'number' | 'int64' | 'uint32' | 'double' | 'enum'
  readonly list?: true
  readonly map?: true
  readonly values?: readonly string[]
}

/** Every field of every kind of fact, by dotted path: what a mapping file may name. */
export const FACT_SHAPES = {
  channel: {
    id: { type: 'string' },
    node: { type: 'string' },
    call: { type: 'string' },
    correlate: { type: 'string' },
    session: { type: 'int64' },
    direction: { type: 'enum', values: ['inbound', 'outbound'] },
    'caller.name': { type: 'string' },
    'caller.number': { type: 'string' },
    'callee.name': { type: 'string' },
    'callee.number': { type: 'string' },
    dialled: { type: 'string' },
    peers: { type: 'string', list: true },
    controller: { type: 'string' },
    'times.created': { type: 'int64' },
    'times.ringing': { type: 'int64' },
    'times.answered': { type: 'int64' },
    'times.ended': { type: 'int64' },
    'cause.code': { type: 'uint32' },
    'cause.name': { type: 'string' },
    'cause.protocol': { type: 'uint32' },
    vars: { type: 'string', map: true },
    state: { type: 'enum', values: ['new', 'ringing', 'early', 'answered', 'ended'] },
    'flags.held': { type: 'boolean' },
    'flags.bridged': { type: 'boolean' },
    'flags.ready': { type: 'boolean' },
    'flags.loopback': { type: 'boolean' },
    'flags.controllable': { type: 'boolean' },
    'flags.offered': { type: 'boolean' },
    change: {
      type: 'enum',
      values: ['state', 'bridge', 'hold', 'ready', 'vars', 'owner', 'control', 'parties', 'hangup', 'offer'],
    },
    'durations.total': { type: 'int64' },
    'durations.billed': { type: 'int64' },
    terminal: { type: 'string' },
    'own.name': { type: 'string' },
    'own.number': { type: 'string' },
    'far.name': { type: 'string' },
    'far.number': { type: 'string' },
    'bridge.id': { type: 'string' },
    'bridge.type': { type: 'string' },
    'bridge.members': { type: 'string', list: true },
    serial: { type: 'string' },
  },
  cdr: {
    id: { type: 'string' },
    node: { type: 'string' },
    call: { type: 'string' },
    correlate: { type: 'string' },
    session: { type: 'int64' },
    direction: { type: 'enum', values: ['inbound', 'outbound'] },
    'caller.name': { type: 'string' },
    'caller.number': { type: 'string' },
    'callee.name': { type: 'string' },
    'callee.number': { type: 'string' },
    dialled: { type: 'string' },
    peers: { type: 'string', list: true },
    controller: { type: 'string' },
    'times.created': { type: 'int64' },
    'times.ringing': { type: 'int64' },
    'times.answered': { type: 'int64' },
    'times.ended': { type: 'int64' },
    'cause.code': { type: 'uint32' },
    'cause.name': { type: 'string' },
    'cause.protocol': { type: 'uint32' },
    vars: { type: 'string', map: true },
    state: { type: 'enum', values: ['new', 'ringing', 'early', 'answered', 'ended'] },
    'flags.held': { type: 'boolean' },
    'flags.bridged': { type: 'boolean' },
    'flags.ready': { type: 'boolean' },
    'flags.loopback': { type: 'boolean' },
    'flags.controllable': { type: 'boolean' },
    'flags.offered': { type: 'boolean' },
    change: {
      type: 'enum',
      values: ['state', 'bridge', 'hold', 'ready', 'vars', 'owner', 'control', 'parties', 'hangup', 'offer'],
    },
    'durations.total': { type: 'int64' },
    'durations.billed': { type: 'int64' },
    terminal: { type: 'string' },
    'own.name': { type: 'string' },
    'own.number': { type: 'string' },
    'far.name': { type: 'string' },
    'far.number': { type: 'string' },
    'bridge.id': { type: 'string' },
    'bridge.type': { type: 'string' },
    'bridge.members': { type: 'string', list: true },
    serial: { type: 'string' },
  },
  bridge: {
    id: { type: 'string' },
    node: { type: 'string' },
    type: { type: 'string' },
    members: { type: 'string', list: true },
    change: { type: 'enum', values: ['created', 'members', 'merged', 'destroyed'] },
  },
  transfer: {
    node: { type: 'string' },
    type: { type: 'string' },
    by: { type: 'string' },
    who: { type: 'string' },
    target: { type: 'string' },
    result: { type: 'string' },
  },
  terminal: {
    serial: { type: 'string' },
    number: { type: 'string' },
    state: { type: 'enum', values: ['online', 'offline'] },
    address: { type: 'string' },
    roundTripUs: { type: 'int64' },
    node: { type: 'string' },
    change: { type: 'enum', values: ['state', 'number', 'contact'] },
  },
  device: {
    name: { type: 'string' },
    state: {
      type: 'enum',
      values: ['unknown', 'not-inuse', 'inuse', 'busy', 'invalid', 'unavailable', 'ringing', 'ringinuse', 'onhold'],
    },
    aggregate: { type: 'boolean' },
    node: { type: 'string' },
  },
  mailbox: {
    name: { type: 'string' },
    newMessages: { type: 'uint32' },
    oldMessages: { type: 'uint32' },
    node: { type: 'string' },
  },
  dtmf: {
    channel: { type: 'string' },
    node: { type: 'string' },
    digit: { type: 'string' },
    durationMs: { type: 'uint32' },
    controller: { type: 'string' },
  },
  playback: {
    channel: { type: 'string' },
    node: { type: 'string' },
    id: { type: 'string' },
    media: { type: 'string' },
    state: { type: 'enum', values: ['started', 'finished', 'failed', 'continuing'] },
    controller: { type: 'string' },
  },
  recording: {
    channel: { type: 'string' },
    node: { type: 'string' },
    name: { type: 'string' },
    state: { type: 'enum', values: ['started', 'finished', 'failed', 'continuing'] },
    durationMs: { type: 'int64' },
    sizeBytes: { type: 'int64' },
    cause: { type: 'string' },
    controller: { type: 'string' },
  },
  speech: {
    channel: { type: 'string' },
    node: { type: 'string' },
    type: { type: 'string' },
    text: { type: 'string' },
    confidence: { type: 'double' },
    last: { type: 'boolean' },
    engine: { type: 'string' },
    controller: { type: 'string' },
  },
  conference: {
    name: { type: 'string' },
    channel: { type: 'string' },
    node: { type: 'string' },
    action: { type: 'string' },
    muted: { type: 'boolean' },
  },
  node: {
    id: { type: 'string' },
    name: { type: 'string' },
    change: { type: 'enum', values: ['came', 'changed', 'left'] },
    ip: { type: 'string' },
    version: { type: 'string' },
    address: { type: 'string' },
    'figures.uptimeSeconds': { type: 'uint32' },
    'figures.sessions': { type: 'uint32' },
    'figures.sessionsMax': { type: 'uint32' },
    'figures.sessionsSinceStartup': { type: 'uint32' },
  },
  lifecycle: {
    event: { type: 'enum', values: ['voice-crash', 'reboot', 'reboot-calls', 'cluster-master', 'cluster-backup'] },
    number: { type: 'string' },
    node: { type: 'string' },
  },
  sync: {
    of: { type: 'enum', values: ['channels', 'terminals', 'numbers', 'bridges', 'devices'] },
  },
  snapshot: {
    of: { type: 'enum', values: ['channels', 'terminals', 'numbers', 'bridges', 'devices'] },
    ids: { type: 'string', list: true },
  },
  gap: {
    from: { type: 'int64' },
    until: { type: 'int64' },
    reason: { type: 'string' },
    node: { type: 'string' },
  },
  custom: {
    name: { type: 'string' },
    body: { type: 'string' },
    channel: { type: 'string' },
    node: { type: 'string' },
  },
} as const satisfies Record<FactKind, Record<string, FieldShape>>
