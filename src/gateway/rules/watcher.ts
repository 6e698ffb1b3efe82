import { readFileSync, realpathSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import type { ReadText } from '../dialects.js'
import type { FileTexts } from './record.js'

/** Follows files by what is in them. */
export interface FileWatcher {
  start(): void
  /** Looks at once, and has judged what is there when it resolves: also what was judged before. */
  look(): Promise<void>
  stop(): void
}

/** What a watcher is made of. */
export interface WatcherParts {
  /** Pause between two looks, milliseconds; 0: only when told to. */
  readonly everyMs: number
  /** Files with the content that needs no judgement. */
  readonly known: FileTexts
  /** Judges files that are not as they were. Answers all that was read of them: that is followed from then on. */
  readonly judge: (read: ReadText) => Promise<FileTexts>
}

/** Who writes a file has come so far that the next look at it finds the same. Milliseconds. */
const SETTLE_MS = 200

/**
 * Looks at the content of files in turns, by whatever links lead to it, as a mounted ConfigMap has them: there one
 * link changes for all files at once. What changed is judged when two looks found the same, so that nobody is
 * caught in the middle of writing, and judged once.
 */
export function watchFiles({ everyMs, known, judge }: WatcherParts): FileWatcher {
  let judged = known
  let timer: NodeJS.Timeout | undefined
  let work: Promise<unknown> = Promise.resolve()
  let isStopped = false

  async function lookAt(): Promise<FileTexts> {
    return new Map(await Promise.all([...judged.keys()].map(async (path) => [path, await textOf(path)] as const)))
  }

  async function judgeNow(texts: FileTexts): Promise<void> {
    judged = await judge((path) => texts.get(path) ?? readThrough(path))
  }

  let before: FileTexts | undefined
  /** Answers the pause until the next turn. */
  async function turn(): Promise<number> {
    const texts = await lookAt()
    const isNews = !areSame(texts, judged)
    const isSettled = isNews && before !== undefined && areSame(texts, before)
    before = isNews && !isSettled ? texts : undefined
    if (isSettled) await judgeNow(texts)
    return before === undefined ? everyMs : Math.min(everyMs, SETTLE_MS)
  }

  /** Looks never overlap: each judges what it found. */
  function inTurn<T>(each: () => Promise<T>): Promise<T> {
    const done = work.then(each)
    work = done.catch(() => undefined)
    return done
  }

  function later(ms: number): void {
    if (isStopped || everyMs === 0) return
    timer = setTimeout(() => void inTurn(turn).then(later, () => later(everyMs)), ms).unref()
  }

  return {
    start: () => later(everyMs),
    look: () =>
      inTurn(async () => {
        before = undefined
        await judgeNow(await lookAt())
      }),
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}

/** Reads a file behind whatever links lead to it: they may change at any moment, what they led to stays. */
export function readThrough(path: string): string {
  return readFileSync(realpathSync(path), 'utf8')
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(await realpath(path), 'utf8')
  } catch {
    return undefined // a file that cannot be read is as good as none; whoever judges it says why
  }
}

function areSame(one: FileTexts, other: FileTexts): boolean {
  return one.size === other.size && [...one].every(([path, text]) => other.has(path) && other.get(path) === text)
}
