import type { Channel, Direction, Extension } from '../model/index.js'

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
  readonly ext?: Readonly<Record<string, Extension>>
  /** By route. */
  readonly told: Readonly<Record<string, Told>>
  /** Whether its end may be told with durations: false when it was up before we were. */
  readonly seenFromStart: boolean
}

/** What is known of one terminal, as its link told it. */
export interface TerminalView {
  readonly serial: string
  readonly number?: string | undefined
  readonly online: boolean
}

/**
 * Everything the gateway knows between messages. Asynchronous, because a shared store is; work on one
 * channel is done in order by whoever calls it.
 */
export interface StateStore {
  call(key: string): Promise<CallView | undefined>
  putCall(key: string, view: CallView): Promise<void>
  /** Calls that a link told of. */
  callsOf(link: string): Promise<readonly (readonly [key: string, view: CallView])[]>
  terminal(link: string, serial: string): Promise<TerminalView | undefined>
  putTerminal(link: string, terminal: TerminalView): Promise<void>
  terminalsOf(link: string): Promise<readonly TerminalView[]>
}

/** How long an ended call is remembered, so that what comes late is not taken for a new one. Milliseconds. */
const REMEMBER_ENDED_MS = 300_000
/** Ended calls remembered at most. */
const MAX_ENDED = 50_000

/** The store of a single process. What it holds is gone with the process. */
export function memoryState(now: () => number = Date.now): StateStore {
  const calls = new Map<string, CallView>()
  const ended = new Map<string, number>()
  const terminals = new Map<string, Map<string, TerminalView>>()

  /** Ended calls are kept in the order of their ends, so the oldest are the first. */
  function forget(): void {
    const oldest = now() - REMEMBER_ENDED_MS
    for (const [key, at] of ended) {
      if (at >= oldest && ended.size <= MAX_ENDED) return
      ended.delete(key)
      calls.delete(key)
    }
  }

  return {
    call: (key) => Promise.resolve(calls.get(key)),
    putCall(key, view) {
      calls.set(key, view)
      if (view.channel.state === 'ended') {
        ended.delete(key)
        ended.set(key, now())
        forget()
      }
      return Promise.resolve()
    },
    callsOf: (link) =>
      Promise.resolve([...calls].filter(([, view]) => view.link === link && view.channel.state !== 'ended')),
    terminal: (link, serial) => Promise.resolve(terminals.get(link)?.get(serial)),
    putTerminal(link, terminal) {
      let known = terminals.get(link)
      if (known === undefined) {
        known = new Map()
        terminals.set(link, known)
      }
      known.set(terminal.serial, terminal)
      return Promise.resolve()
    },
    terminalsOf: (link) => Promise.resolve([...(terminals.get(link)?.values() ?? [])]),
  }
}
