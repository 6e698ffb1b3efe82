import type { Bucket } from '../../transports/nats/index.js'

/** What rules were compiled from, by their revision, where every replica finds it. */
export interface RevisionTexts {
  /** Keeps a text, for as long as a value lasts in the store. Rejects with `state.unavailable`. */
  put(revision: string, text: string): Promise<void>
  /** Rejects with `state.unavailable`. */
  get(revision: string): Promise<string | undefined>
}

const keyOf = (revision: string) => `revision.${revision}`

/** Keeps them in the bucket of the group. */
export function makeRevisionTexts(bucket: Bucket): RevisionTexts {
  return {
    async put(revision, text) {
      await bucket.put(keyOf(revision), text)
    },
    get: async (revision) => (await bucket.get(keyOf(revision)))?.text,
  }
}
