import { setTimeout as delay } from 'node:timers/promises'
import { type Environment, type Fault, formatFault, mappingPath } from '../../config/index.js'
import type { Log, Metrics } from '../../telemetry/index.js'
import { type OpenMapping, openMapping } from '../dialects.js'
import type { RevisionTexts } from '../replicas/index.js'
import type { StateStore } from '../state.js'
import type { Rules } from './holder.js'
import { judgeFiles, type Question } from './judge.js'
import { type FileTexts, type Recorder, recordReads } from './record.js'
import type { ReadConfig } from './restart.js'
import { draftRules, makeRuleset, type RulesDraft, type Ruleset } from './ruleset.js'
import { servingOf } from './serving.js'
import { packTexts, type RuleTexts, readerOf, unpackTexts } from './texts.js'
import { watchFiles } from './watcher.js'

/** The file that a gateway was opened from, as it was then. */
export interface ConfigFile {
  readonly file: string
  readonly env: Environment
  readonly text: string
}

/** Which rules hold, as the admin server shows it. */
export interface RulesStatus {
  readonly revision: string
  /** Since when, UTC, ISO 8601. */
  readonly since: string
  /** All revisions that are in use, the current one first, with the calls that go by them. */
  readonly inUse: readonly { readonly revision: string; readonly calls: number }[]
  /** The last refusal; `standing`: the files are still those that were refused. */
  readonly refused?: { readonly at: string; readonly standing: boolean; readonly faults: readonly Fault[] }
}

/** Takes up changed files while the gateway runs. */
export interface Reloading {
  start(): void
  /** Looks at the files at once. */
  look(): Promise<void>
  /** Gets the rules that calls of links began with on other replicas, and leaves ours to them. Never rejects. */
  prepare(links: readonly string[]): Promise<void>
  status(): RulesStatus
  stop(): void
}

/** What it is made of. */
export interface ReloadingParts extends ReadConfig {
  readonly rules: Rules
  /** Folder of the configuration. */
  readonly folder: string
  readonly open: OpenMapping
  /** Absent where the configuration is in no file: then nothing is reloaded. */
  readonly file: ConfigFile | undefined
  readonly store: Pick<StateStore, 'callsOf'>
  /** Absent where no other replica needs them. */
  readonly revisions: RevisionTexts | undefined
  readonly metrics: Metrics
  readonly log: Log
  readonly now: () => number
}

/** Pause between two looks for rulesets that no call needs any more. Milliseconds. */
const DROP_MS = 5000
/** So long a store may take to keep the texts of new rules before these hold all the same. Milliseconds. */
const KEEP_WITHIN_MS = 1000

/** Makes it. */
export function makeReloading(parts: ReloadingParts): Reloading {
  const { rules, config, source, folder, open, file, store, revisions, metrics, log, now } = parts
  const first = rules.current()
  const serving = servingOf(first)
  let since = now()
  let refused: RulesStatus['refused']
  const timers: NodeJS.Timeout[] = []
  metrics.rules(first.revision)

  const watcher =
    file &&
    watchFiles({
      everyMs: config.reload.everyMs,
      known: new Map([[file.file, file.text], ...filesOf(first.texts)]),
      judge: (read) => judge({ file: file.file, env: file.env, running: { config, source }, serving, open }, read),
    })

  function filesOf({ files }: RuleTexts): (readonly [string, string])[] {
    return Object.entries(files).map(([name, text]) => [mappingPath(name, folder), text] as const)
  }

  async function judge(question: Question, read: (path: string) => string): Promise<FileTexts> {
    const recorder = recordReads(read)
    try {
      const found = judgeFiles(question, recorder.read)
      if ('faults' in found) refuse(found.faults)
      else await accept(found.draft)
    } catch (error) {
      metrics.reload('refused')
      log.error('rules could not be judged: the ones before stay', { err: error })
    }
    // Those in use are followed, too, also where what was refused does not name them.
    for (const [path] of filesOf(rules.current().texts)) readAlso(recorder, path)
    return recorder.seen
  }

  function refuse(faults: readonly Fault[]): void {
    refused = { at: new Date(now()).toISOString(), standing: true, faults }
    metrics.reload('refused')
    log.error('rules refused: the ones before stay', {
      revision: rules.current().revision,
      faults: faults.map(formatFault),
    })
  }

  async function accept(draft: RulesDraft): Promise<void> {
    if (refused !== undefined) refused = { ...refused, standing: false }
    const before = rules.current().revision
    if (draft.revision === before) {
      log.info('rules are those in use', { revision: before })
      return
    }
    const next = makeRuleset(draft, metrics)
    await leave(next)
    rules.swap(next)
    since = now()
    metrics.rules(next.revision)
    metrics.reload('applied')
    log.info('rules reloaded', { revision: next.revision, before })
    dropUnused()
  }

  /** Leaves the texts of rules to other replicas, before a call begins with them. */
  async function leave({ revision, texts }: Ruleset): Promise<void> {
    if (revisions === undefined) return
    const kept = revisions.put(revision, packTexts(texts))
    kept.catch((error: unknown) => log.warn('the texts of rules could not be kept', { revision, err: error }))
    await Promise.race([kept.catch(() => undefined), delay(KEEP_WITHIN_MS, undefined, { ref: false })])
  }

  function callsByRevision(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const link of Object.keys(config.links)) {
      for (const [, { revision }] of store.callsOf(link))
        if (revision !== undefined) counts.set(revision, (counts.get(revision) ?? 0) + 1)
    }
    return counts
  }

  function dropUnused(): void {
    if (rules.others().length === 0) return
    const counts = callsByRevision()
    rules.drop((revision) => counts.has(revision))
  }

  async function adopt(revision: string): Promise<void> {
    const packed = await revisions!.get(revision)
    if (packed === undefined) return
    const texts = unpackTexts(packed)
    const mappings = texts.mappings.map((name) => mappingPath(name, folder))
    const { routes, settings } = texts
    const draft = draftRules(
      { ...config, routes, mappings, settings },
      { folder, read: readerOf(texts, folder), open: openMapping },
    )
    if ('faults' in draft) throw new Error(draft.faults.map(formatFault).join('; '))
    const ruleset = makeRuleset({ ...draft, revision }, metrics)
    rules.keep(ruleset)
    void leave(ruleset)
    log.info('rules of another replica taken up', { revision })
  }

  async function prepare(links: readonly string[]): Promise<void> {
    if (revisions === undefined) return
    // On its way before anything that is written of a call, by the same connection.
    void leave(rules.current())
    if (config.reload.calls === 'current') return
    const begun = links.flatMap((link) => store.callsOf(link).map(([, view]) => view.revision))
    const missing = [...new Set(begun)].filter((each) => each !== undefined && !rules.has(each)) as string[]
    await Promise.all(
      missing.map((revision) =>
        adopt(revision).catch((error: unknown) =>
          log.warn('rules of another replica could not be taken up', { revision, err: error }),
        ),
      ),
    )
  }

  return {
    start() {
      watcher?.start()
      timers.push(setInterval(dropUnused, DROP_MS).unref())
      if (revisions === undefined || config.store === undefined) return
      const refresh = () => void Promise.all([rules.current(), ...rules.others()].map(leave))
      timers.push(setInterval(refresh, config.store.keepMs / 3).unref())
    },
    look: async () => watcher?.look(),
    prepare,
    status() {
      dropUnused()
      const counts = callsByRevision()
      const all = [rules.current(), ...rules.others()].map(({ revision }) => revision)
      return {
        revision: all[0]!,
        since: new Date(since).toISOString(),
        inUse: all.map((revision) => ({ revision, calls: counts.get(revision) ?? 0 })),
        ...(refused && { refused }),
      }
    },
    stop() {
      watcher?.stop()
      for (const timer of timers) clearInterval(timer)
    },
  }
}

function readAlso({ read }: Recorder, path: string): void {
  try {
    read(path)
  } catch {
    // That it cannot be read is noted.
  }
}
