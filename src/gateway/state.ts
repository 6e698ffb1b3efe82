import type { Channel, DeviceState, Direction, Extension } from '../model/index.js'
import type { Frame, OutgoingFrame } from '../transports/transport.js'

/** What a target was told of a channel. */
export interface Told {
  /** It knows of the channel. */
  opened: boolean
  /** The direction it was told, which stays. */
  direction?: Direction
  /** It was told the end; nothing may follow. */
  closed: boolean
  /** States it was told, in no order. */
  states: string[]
  /** The peer it was told of, while bridged. */
  bridgedTo?: string | undefined
  held: boolean
  ready: boolean
}

/** What is known of one channel. */
export interface CallView {
  readonly link: string
  readonly channel: Channel
  /** What its own dialect last said that the model has no word for. */
  readonly ext?: Readonly<Record<string, Extension>> | undefined
  /** By route. */
  readonly told: Readonly<Record<string, Told>>
  /** Whether its end may be told with durations: false when it was up before we were. */
  readonly seenFromStart: boolean
  /** It was told of before it was made, and its switch has not told of it yet: no picture is expected to list it. */
  readonly planned?: boolean
  /** The rules that it goes by; those of its first sight, as long as they are known. */
  readonly revision?: string
}

/** What is known of one terminal, as its link told it. */
export interface TerminalView {
  readonly serial: string
  readonly number?: string | undefined
  readonly online: boolean
}

/** What comes of making a controller the owner of a call. */
type Owned =
  /** With the owner before, and the call as it is now. */
  | { readonly claim: 'owned'; readonly before: string | undefined; readonly view: CallView }
  | { readonly claim: 'taken' }
  | { readonly claim: 'unknown' }

/** Frames on their way to one link. */
export interface Letters {
  readonly to: string
  /** The route that they are for; absent for dead letters and what a node says of itself. */
  readonly route?: string | undefined
  readonly frames: readonly OutgoingFrame[]
}

/** A message that its source sends again until it is settled. */
export interface TakenMessage {
  /** Its place in the order of arrival. */
  readonly number: number
  /** Equal for messages that cannot be told apart by what they say. */
  readonly key: string
  /** The name that was given to it. */
  readonly id: string
}

/** What one message came to. */
export interface Change {
  /** The link that told it. */
  readonly link: string
  readonly calls?: ReadonlyMap<string, CallView>
  readonly terminals?: ReadonlyMap<string, TerminalView>
  readonly devices?: ReadonlyMap<string, DeviceState>
  /** What is to be said of it. */
  readonly letters?: readonly Letters[]
  readonly taken?: TakenMessage | undefined
  /** Requests that are being carried out, by a name of ours; undefined for one that is over. */
  readonly commands?: ReadonlyMap<string, Frame | undefined>
}

/** A change that was kept. */
export interface Kept {
  /**
   * Resolves when nothing of it can be lost any more: nothing of it may be said before. Absent where that is so
   * already. Rejects with `state.outrun` when another replica went on in our place, or `state.unavailable` at the end.
   */
  readonly written: Promise<void> | undefined
  /**
   * Its letters arrived: nobody need say them again. What it answers resolves when that is written: until then the
   * message that told it must not be acknowledged, or another replica would wait for it to come again. Undefined where
   * nothing waits for that. Rejects as `written` does.
   */
  said(): Promise<void> | undefined
}

/**
 * Everything the gateway knows between messages. What it is asked it answers from memory, where what was kept here
 * shows at once; what other replicas kept shows within milliseconds. Only who takes from a link keeps changes of it,
 * and does so in order for each channel.
 */
export interface StateStore {
  /** Of a call that has ended nothing is known but that. */
  call(key: string): CallView | undefined
  keep(change: Change): Kept
  /** Calls that a link told of. */
  callsOf(link: string): readonly (readonly [key: string, view: CallView])[]
  terminal(link: string, serial: string): TerminalView | undefined
  terminalsOf(link: string): readonly TerminalView[]
  /** Links at which a terminal is online. */
  onlineAt(serial: string): readonly string[]
  /** The state in which a link last told a device to be. */
  deviceState(link: string, name: string): DeviceState | undefined
  /** The dial number last told for a terminal, by whichever link. */
  numberOf(serial: string): string | undefined
}

/** How long an ended call is remembered, so that what comes late is not taken for a new one. Milliseconds. */
const REMEMBER_ENDED_MS = 300_000
/** Ended calls remembered at most. A table of so many that come and go takes 65,536 places; a few hundred more, and it takes twice that. */
const MAX_ENDED = 32_000
/** Device states remembered at most; Asterisk has one for each number that was ever dialled through a Local channel. */
const MAX_DEVICES = 50_000

const ENDED: CallView = { link: '', channel: { state: 'ended' }, told: {}, seenFromStart: false }

/** In memory nothing is safer later than at once. */
const KEPT: Kept = { written: undefined, said: () => undefined }

/** A call with a controller as its owner, unless another is. */
export function owned(view: CallView | undefined, controller: string, takeover: boolean): Owned {
  if (view === undefined || view.channel.state === 'ended') return { claim: 'unknown' }
  const before = view.channel.controller
  if (before !== undefined && before !== controller && !takeover) return { claim: 'taken' }
  if (before === controller) return { claim: 'owned', before, view }
  return { claim: 'owned', before, view: { ...view, channel: { ...view.channel, controller } } }
}

/** The store of a single process. What it holds is gone with the process. */
export interface MemoryState extends StateStore {
  /** Forgets everything that one link told. */
  forget(link: string): void
}

/** Makes it. */
export function memoryState(now: () => number = Date.now): MemoryState {
  const calls = new Map<string, CallView>()
  const ended = new Map<string, number>()
  const terminals = new Map<string, Map<string, TerminalView>>()
  const numbers = new Map<string, string>()
  const devices = new Map<string, DeviceState>()
  const deviceKey = (link: string, name: string) => `${link}\u0000${name}`

  /** Ended calls are kept in the order of their ends, so the oldest are the first. */
  function forgetEnded(): void {
    const oldest = now() - REMEMBER_ENDED_MS
    for (const [key, at] of ended) {
      if (at >= oldest && ended.size <= MAX_ENDED) return
      ended.delete(key)
    }
  }

  function putCall(key: string, view: CallView): void {
    if (view.channel.state !== 'ended') {
      calls.set(key, view)
      return
    }
    calls.delete(key)
    ended.delete(key)
    ended.set(key, now())
    forgetEnded()
  }

  function putTerminal(link: string, terminal: TerminalView): void {
    const known = terminals.get(link) ?? new Map<string, TerminalView>()
    terminals.set(link, known.set(terminal.serial, terminal))
    if (terminal.number !== undefined) numbers.set(terminal.serial, terminal.number)
  }

  function putDevice(key: string, state: DeviceState): void {
    devices.delete(key)
    devices.set(key, state)
    const [oldest] = devices.keys()
    if (devices.size > MAX_DEVICES && oldest !== undefined) devices.delete(oldest)
  }

  return {
    call: (key) => calls.get(key) ?? (ended.has(key) ? ENDED : undefined),
    keep(change) {
      if (change.calls !== undefined) for (const [key, view] of change.calls) putCall(key, view)
      if (change.terminals !== undefined)
        for (const terminal of change.terminals.values()) putTerminal(change.link, terminal)
      if (change.devices !== undefined)
        for (const [name, state] of change.devices) putDevice(deviceKey(change.link, name), state)
      return KEPT
    },
    callsOf: (link) => [...calls].filter(([, view]) => view.link === link),
    terminal: (link, serial) => terminals.get(link)?.get(serial),
    terminalsOf: (link) => [...(terminals.get(link)?.values() ?? [])],
    onlineAt: (serial) => [...terminals].flatMap(([link, known]) => (known.get(serial)?.online === true ? [link] : [])),
    deviceState: (link, name) => devices.get(deviceKey(link, name)),
    numberOf: (serial) => numbers.get(serial),
    forget(link) {
      for (const [key, view] of calls) if (view.link === link) calls.delete(key)
      terminals.delete(link)
      for (const key of devices.keys()) if (key.startsWith(deviceKey(link, ''))) devices.delete(key)
    },
  }
}
