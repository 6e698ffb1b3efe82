import { randomUUID } from 'node:crypto'
import type { CommandLog } from '../calls/xnode/index.js'
import type { StateStore } from './state.js'

/**
 * Requests that are being carried out for a link, where other replicas find them: should this one die, they know
 * that it began, and carry nothing out twice.
 */
export function makeCommandLog(store: StateStore, link: string): CommandLog {
  return {
    async begin(frame) {
      const key = randomUUID()
      await store.keep({ link, commands: new Map([[key, frame]]) }).written
      return () => over(store, link, key)
    },
  }
}

/** Notes that a request is over. */
export function over(store: StateStore, link: string, key: string): void {
  store.keep({ link, commands: new Map([[key, undefined]]) })
}
