import type { Frame } from '../../transports/transport.js'

/** What a program has heard so far. */
export interface Ear {
  readonly heard: readonly Frame[]
  hear(frame: Frame): void
  /** Resolves when something heard makes `holds` true; answers whether it did within the time. */
  until(holds: () => boolean, timeoutMs: number): Promise<boolean>
  /** Nothing more will come: who waits is answered at once. */
  close(): void
}

export function makeEar(): Ear {
  const heard: Frame[] = []
  const waiting = new Set<() => void>()
  let isOpen = true
  const look = () => {
    for (const each of [...waiting]) each()
  }
  return {
    heard,
    hear(frame) {
      heard.push(frame)
      look()
    },
    until(holds, timeoutMs) {
      if (holds() || !isOpen) return Promise.resolve(holds())
      return new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer)
          waiting.delete(each)
          resolve(holds())
        }
        const each = () => {
          if (holds() || !isOpen) end()
        }
        const timer = setTimeout(end, timeoutMs)
        waiting.add(each)
      })
    },
    close() {
      isOpen = false
      look()
    },
  }
}
