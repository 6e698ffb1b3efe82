import type { Channel, DeviceState, Direction, Extension } from '../model/index.js'

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
}

/** What is known of one terminal, as its link told it. */
export interface TerminalView {
  readonly serial: string
  readonly number?: string | undefined
  readonly online: boolean
}

/** What came of making a controller the owner of a call. */
export type Owned =
  /** With the owner before, and the call as it is now. */
  | { readonly claim: 'owned'; readonly before: string | undefined; readonly view: CallView }
  | { readonly claim: 'taken' }
  | { readonly claim: 'unknown' }

/** A value, or a promise of it where it has to be fetched. */
export type Stored<T> = T | Promise<T>

/**
 * Everything the gateway knows between messages. Asynchronous, because a shared store is; work on one
 * channel is done in order by whoever calls it. What is asked for each message is answered at once where
 * it can be.
 */
export interface StateStore {
  /** Of a call that has ended nothing is known but that. */
  call(key: string): Stored<CallView | undefined>
  putCall(key: string, view: CallView): Stored<void>
  /** Makes a controller the owner, unless another is; with `takeover` in any case. One compare-and-set. */
  own(key: string, controller: string, takeover: boolean): Stored<Owned>
  /** Calls that a link told of. */
  callsOf(link: string): Promise<readonly (readonly [key: string, view: CallView])[]>
  terminal(link: string, serial: string): Promise<TerminalView | undefined>
  putTerminal(link: string, terminal: TerminalView): Promise<void>
  terminalsOf(link: string): Promise<readonly TerminalView[]>
  /** Links at which a terminal is online. */
  onlineAt(serial: string): Promise<readonly string[]>
  /** The state in which a link last told a device to be. */
  deviceState(link: string, name: string): Promise<DeviceState | undefined>
  putDeviceState(link: string, name: string, state: DeviceState): Promise<void>
  /** The dial number last told for a terminal, by whichever link. */
  numberOf(serial: string): Promise<string | undefined>
}

/** How long an ended call is remembered, so that what comes late is not taken for a new one. Milliseconds. */
const REMEMBER_ENDED_MS = 300_000
/** Ended calls remembered at most. */
const MAX_ENDED = 50_000
/** Device states remembered at most; Asterisk has one for each number that was ever dialled through a Local channel. */
const MAX_DEVICES = 50_000

const ENDED: CallView = { link: '', channel: { state: 'ended' }, told: {}, seenFromStart: false }

/** The store of a single process. What it holds is gone with the process. */
export function memoryState(now: () => number = Date.now): StateStore {
  const calls = new Map<string, CallView>()
  const ended = new Map<string, number>()
  const terminals = new Map<string, Map<string, TerminalView>>()
  const numbers = new Map<string, string>()
  const devices = new Map<string, DeviceState>()

  /** Ended calls are kept in the order of their ends, so the oldest are the first. */
  function forget(): void {
    const oldest = now() - REMEMBER_ENDED_MS
    for (const [key, at] of ended) {
      if (at >= oldest && ended.size <= MAX_ENDED) return
      ended.delete(key)
    }
  }

  return {
    call: (key) => calls.get(key) ?? (ended.has(key) ? ENDED : undefined),
    putCall(key, view) {
      if (view.channel.state !== 'ended') {
        calls.set(key, view)
        return
      }
      calls.delete(key)
      ended.delete(key)
      ended.set(key, now())
      forget()
    },
    own(key, controller, takeover) {
      const view = calls.get(key)
      if (view === undefined) return { claim: 'unknown' }
      const before = view.channel.controller
      if (before !== undefined && before !== controller && !takeover) return { claim: 'taken' }
      const owned = before === controller ? view : { ...view, channel: { ...view.channel, controller } }
      calls.set(key, owned)
      return { claim: 'owned', before, view: owned }
    },
    callsOf: (link) => Promise.resolve([...calls].filter(([, view]) => view.link === link)),
    terminal: (link, serial) => Promise.resolve(terminals.get(link)?.get(serial)),
    putTerminal(link, terminal) {
      let known = terminals.get(link)
      if (known === undefined) {
        known = new Map()
        terminals.set(link, known)
      }
      known.set(terminal.serial, terminal)
      if (terminal.number !== undefined) numbers.set(terminal.serial, terminal.number)
      return Promise.resolve()
    },
    terminalsOf: (link) => Promise.resolve([...(terminals.get(link)?.values() ?? [])]),
    onlineAt: (serial) =>
      Promise.resolve([...terminals].flatMap(([link, known]) => (known.get(serial)?.online === true ? [link] : []))),
    deviceState: (link, name) => Promise.resolve(devices.get(`${link}\u0000${name}`)),
    putDeviceState(link, name, state) {
      const key = `${link}\u0000${name}`
      devices.delete(key)
      devices.set(key, state)
      const [oldest] = devices.keys()
      if (devices.size > MAX_DEVICES && oldest !== undefined) devices.delete(oldest)
      return Promise.resolve()
    },
    numberOf: (serial) => Promise.resolve(numbers.get(serial)),
  }
}
