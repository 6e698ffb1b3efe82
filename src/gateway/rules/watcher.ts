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
  /** Judges files that are not as they were. */
  readonly judge: (read: ReadText) => Judged
}

/** A judgement that nothing has come of yet. */
export interface Judged {
  /** All that was read for it. */
  readonly seen: FileTexts
  /** Does what follows from it. Answers the files that are followed from then on, as they were read. */
  carryOut(): Promise<FileTexts>
}

/** Who writes a file has come so far that the next look at it finds the same. Milliseconds. */
const SETTLE_MS = 200

/**
 * Looks at the content of files in turns, by whatever links lead to it, as a mounted ConfigMap has them: there one
 * link changes for all files at once. What changed is judged when two looks found the same, so that nobody is
 * caught in the middle of writing, and judged once. What it names for the first time is looked at again before
 * anything comes of it.
 */
export function watchFiles({ everyMs, known, judge }: WatcherParts): FileWatcher {
  let judged = known
  /** Files that what was found names, and what was judged last does not. */
  let named: readonly string[] = []
  let timer: NodeJS.Timeout | undefined
  let work: Promise<unknown> = Promise.resolve()
  let isStopped = false

  async function lookAt(): Promise<FileTexts> {
    const paths = new Set([...judged.keys(), ...named])
    return new Map(await Promise.all([...paths].map(async (path) => [path, await textOf(path)] as const)))
  }

  const judgeOf = (texts: FileTexts) => judge((path) => texts.get(path) ?? readThrough(path))

  async function carryOut(judgement: Judged): Promise<void> {
    named = []
    judged = await judgement.carryOut()
  }

  let before: FileTexts | undefined
  /** Answers the pause until the next turn. */
  async function turn(): Promise<number> {
    const texts = await lookAt()
    if (isStopped) return everyMs
    const isNews = !areSame(texts, judged)
    const isSettled = isNews && before !== undefined && areSame(texts, before)
    before = isNews && !isSettled ? texts : undefined
    if (isSettled) before = await judgeSettled(texts)
    return before === undefined ? everyMs : Math.min(everyMs, SETTLE_MS)
  }

  /** Answers what the next look is to find again, where files were read for the first time. */
  async function judgeSettled(texts: FileTexts): Promise<FileTexts | undefined> {
    const judgement = judgeOf(texts)
    const fresh = [...judgement.seen].filter(([path, text]) => !texts.has(path) || texts.get(path) !== text)
    if (fresh.length === 0) {
      await carryOut(judgement)
      return undefined
    }
    named = [...named, ...fresh.map(([path]) => path)]
    return new Map([...texts, ...fresh])
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
        const texts = await lookAt()
        if (!isStopped) await carryOut(judgeOf(texts))
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
