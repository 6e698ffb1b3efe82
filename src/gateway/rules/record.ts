import type { ReadText } from '../dialects.js'

/** Files with their texts, by absolute path; undefined for one that cannot be read. */
export type FileTexts = ReadonlyMap<string, string | undefined>

/** What reads files, and what it read. */
export interface Recorder {
  readonly read: ReadText
  readonly seen: FileTexts
}

/** Reads by `read`: each file once, and one that cannot be read again each time it is asked for. */
export function recordReads(read: ReadText): Recorder {
  const seen = new Map<string, string | undefined>()
  return {
    seen,
    read(path) {
      const known = seen.get(path)
      if (known !== undefined) return known
      seen.set(path, undefined)
      const text = read(path)
      seen.set(path, text)
      return text
    },
  }
}
