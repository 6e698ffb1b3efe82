import { GatewayError } from '../errors.js'
import type { OutgoingFrame } from './transport.js'

/** A frame somebody waits for, from `add` until it is confirmed or refused. */
export interface Parcel {
  readonly frame: OutgoingFrame
  /** How often the peer has said no for now. */
  tries: number
  readonly resolve: () => void
  readonly reject: (error: GatewayError) => void
}

/**
 * Frames on their way out, each confirmed by the peer on its own. Frames of one order key go out one at a
 * time, so that no fault can change their order; all others side by side, up to the window.
 */
export interface Outbox {
  add(frame: OutgoingFrame): Promise<void>
  /** The next frame that may go out; it counts as in flight from now on. */
  next(): Parcel | undefined
  /** The peer has it. */
  confirm(parcel: Parcel): void
  /** No retry can help. */
  refuse(parcel: Parcel, error: GatewayError): void
  /** Takes a frame out of flight and lets it wait; its order key waits with it. */
  again(parcel: Parcel, delayMs: number): void
  /** The connection is gone: everything in flight is first in line again, in its old order. */
  putBack(): void
  inFlight(): number
  /** All that somebody waits for. */
  size(): number
  /** Milliseconds for which the peer has confirmed and refused nothing although something waits; 0 when nothing does. */
  stuckMs(): number
  /** The frame in flight, when it is the only one. */
  loneFlight(): Parcel | undefined
  /** How many frames may be in flight from now on. */
  narrow(window: number): void
  /** Resolves once nothing waits and nothing is in flight. */
  empty(): Promise<void>
  /** Refuses what is left and whatever comes later, all with fate `retry`. */
  close(): void
}

/** How many spent places the queue may carry before it is copied without them. */
const SLACK = 4096

const stopping = () => new GatewayError('gateway.stopping', 'the link was stopped first', { fate: 'retry' })

/** @param wake is called whenever `next` may have something to give. */
export function makeOutbox(window: number, wake: () => void): Outbox {
  let ready: Parcel[] = []
  let head = 0
  let limit = window
  let closed = false
  /** When something last left, or came while nothing waited. */
  let movedAt = 0
  const flying = new Set<Parcel>()
  const resting = new Map<Parcel, NodeJS.Timeout>()
  /** Order keys with a frame ready, in flight or resting, and what waits behind it. */
  const lanes = new Map<string, Parcel[]>()
  const onEmpty: (() => void)[] = []

  function free(parcel: Parcel): void {
    movedAt = performance.now()
    flying.delete(parcel)
    const key = parcel.frame.orderKey
    if (key !== undefined) {
      const follower = lanes.get(key)?.shift()
      if (follower === undefined) lanes.delete(key)
      else ready.push(follower)
    }
    if (isEmpty()) for (const resolve of onEmpty.splice(0)) resolve()
  }

  function isEmpty(): boolean {
    return flying.size === 0 && head === ready.length && resting.size === 0
  }

  function admit(parcel: Parcel): void {
    if (isEmpty()) movedAt = performance.now()
    const key = parcel.frame.orderKey
    const lane = key === undefined ? undefined : lanes.get(key)
    if (lane !== undefined) {
      lane.push(parcel)
      return
    }
    if (key !== undefined) lanes.set(key, [])
    ready.push(parcel)
  }

  function first(parcels: readonly Parcel[]): void {
    ready = [...parcels, ...ready.slice(head)]
    head = 0
  }

  return {
    add(frame) {
      if (closed) return Promise.reject(stopping())
      return new Promise((resolve, reject) => {
        admit({ frame, tries: 0, resolve, reject })
        wake()
      })
    },
    next() {
      if (flying.size >= limit || head === ready.length) return undefined
      const parcel = ready[head++]
      if (head === ready.length || head > SLACK) {
        ready = ready.slice(head)
        head = 0
      }
      if (parcel !== undefined) flying.add(parcel)
      return parcel
    },
    confirm(parcel) {
      if (!flying.has(parcel)) return
      free(parcel)
      parcel.resolve()
    },
    refuse(parcel, error) {
      if (!flying.has(parcel)) return
      free(parcel)
      parcel.reject(error)
    },
    again(parcel, delayMs) {
      if (!flying.delete(parcel)) return
      parcel.tries++
      const rested = () => {
        resting.delete(parcel)
        first([parcel])
        wake()
      }
      resting.set(parcel, setTimeout(rested, delayMs))
    },
    putBack() {
      const parcels = [...flying]
      flying.clear()
      first(parcels)
    },
    inFlight: () => flying.size,
    size() {
      let waiting = ready.length - head
      for (const lane of lanes.values()) waiting += lane.length
      return flying.size + resting.size + waiting
    },
    stuckMs: () => (isEmpty() ? 0 : performance.now() - movedAt),
    loneFlight: () => (flying.size === 1 ? flying.values().next().value : undefined),
    narrow(newWindow) {
      limit = newWindow
    },
    empty: () => (isEmpty() ? Promise.resolve() : new Promise((resolve) => onEmpty.push(resolve))),
    close() {
      closed = true
      const left = [...flying, ...resting.keys(), ...ready.slice(head), ...[...lanes.values()].flat()]
      for (const timer of resting.values()) clearTimeout(timer)
      flying.clear()
      resting.clear()
      lanes.clear()
      ready = []
      head = 0
      for (const parcel of left) parcel.reject(stopping())
      for (const resolve of onEmpty.splice(0)) resolve()
    },
  }
}
