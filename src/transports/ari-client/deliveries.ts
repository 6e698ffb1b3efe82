import type { Delivery, Frame } from '../transport.js'

/** What was handed out and is not settled yet. */
export interface Deliveries {
  make(frame: Frame, sentAt: number | undefined): Delivery
  isFull(): boolean
  /** Resolves when at most half of the places are taken. */
  room(): Promise<void>
  /** Resolves when all is settled. */
  all(): Promise<void>
}

/** @param most may be unsettled at a time. */
export function makeDeliveries(most: number): Deliveries {
  let unsettled = 0
  const forRoom: (() => void)[] = []
  const forAll: (() => void)[] = []
  const hasRoom = () => unsettled <= most / 2

  function settled(): void {
    unsettled--
    if (forRoom.length > 0 && hasRoom()) for (const resolve of forRoom.splice(0)) resolve()
    if (unsettled === 0) for (const resolve of forAll.splice(0)) resolve()
  }

  return {
    make(frame, sentAt) {
      let open = true
      unsettled++
      return {
        frame,
        receivedAt: Date.now(),
        ...(sentAt !== undefined && { sentAt }),
        redelivered: false,
        settle() {
          if (open) settled()
          open = false
        },
      }
    },
    isFull: () => unsettled >= most,
    room: () => (hasRoom() ? Promise.resolve() : new Promise((resolve) => forRoom.push(resolve))),
    all: () => (unsettled === 0 ? Promise.resolve() : new Promise((resolve) => forAll.push(resolve))),
  }
}
