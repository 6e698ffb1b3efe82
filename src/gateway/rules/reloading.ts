import { type Environment, type Fault, formatFault, mappingPath, placeOf } from '../../config/index.js'
import type { Log, Metrics } from '../../telemetry/index.js'
import type { OpenMapping, ReadText } from '../dialects.js'
import type { RevisionTexts } from '../replicas/index.js'
import type { StateStore } from '../state.js'
import { makeExchange } from './exchange.js'
import type { Rules } from './holder.js'
import { judgeFiles, type Question } from './judge.js'
import { type Recorder, recordReads } from './record.js'
import type { ReadConfig } from './restart.js'
import { makeRuleset, type RulesDraft } from './ruleset.js'
import { servingOf } from './serving.js'
import type { RuleTexts } from './texts.js'
import { type Judged, watchFiles } from './watcher.js'

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
  /**
   * The last refusal. `standing`: the files are still those that were refused. Without faults the files could not be
   * judged at all.
   */
  readonly refused?: {
    readonly at: string
    readonly standing: boolean
    readonly reason: string
    readonly faults: readonly ShownFault[]
  }
}

/** What came of a look at the files. */
export interface ReloadOutcome {
  /** `unchanged`: what the files say holds already. */
  readonly outcome: 'applied' | 'refused' | 'unchanged'
  /** The revision that holds now. */
  readonly revision: string
  /** Why, where it was refused. */
  readonly refused?: Omit<NonNullable<RulesStatus['refused']>, 'standing'>
}

/** A fault as everybody may see it: the configuration has secrets, so none of its text is shown. */
type ShownFault = Omit<Fault, 'what' | 'right'> & Partial<Pick<Fault, 'what' | 'right'>>

/** Takes up changed files while the gateway runs. */
export interface Reloading {
  start(): void
  /** Looks at the files at once, and tells what came of it. */
  look(): Promise<ReloadOutcome>
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
  /** That of the program. */
  readonly version: string
  readonly now: () => number
}

/** Pause between two looks for rulesets that no call needs any more, and for those that the store does not have yet. Milliseconds. */
const DROP_MS = 5000
/** Makes it. */
export function makeReloading(parts: ReloadingParts): Reloading {
  const { rules, config, source, folder, open, file, store, revisions, metrics, log, now } = parts
  const first = rules.current()
  const serving = servingOf(first)
  let since = now()
  let refused: RulesStatus['refused']
  let isStopped = false
  const timers: NodeJS.Timeout[] = []
  /** Targets of all routes that there were, by name. */
  const targets = new Map<string, string>()
  noteTargets(first)
  const exchange = revisions && makeExchange({ ...parts, revisions })
  metrics.rules(first.revision)

  const watcher =
    file &&
    watchFiles({
      everyMs: config.reload.everyMs,
      known: new Map([[file.file, file.text], ...filesOf(first.texts)]),
      judge: (read) => judge({ ...file, running: { config, source }, serving, open, targets }, read),
    })

  function filesOf({ files }: RuleTexts): (readonly [string, string])[] {
    return Object.entries(files).map(([name, text]) => [mappingPath(name, folder), text] as const)
  }

  /** A route that keeps its name must keep its target only where running calls go by it at once. */
  function noteTargets({ config: { routes } }: RulesDraft): void {
    if (config.reload.calls === 'current') for (const { name, to } of routes) targets.set(name, to)
  }

  function judge(question: Question, read: ReadText): Judged {
    const recorder = recordReads(read)
    const settle = judgement(question, recorder.read)
    return {
      seen: recorder.seen,
      async carryOut() {
        await settle()
        // Those in use are followed, too, also where what was refused does not name them.
        for (const [path] of filesOf(rules.current().texts)) readAlso(recorder, path)
        return recorder.seen
      },
    }
  }

  function judgement(question: Question, read: ReadText): () => void | Promise<void> {
    try {
      const found = judgeFiles(question, read)
      if ('draft' in found) return () => accept(found.draft)
      return () => refuse('the files have faults', found.faults)
    } catch (error) {
      return () => {
        log.error('rules could not be judged', { err: error })
        refuse('the files could not be judged; the log says why', [])
      }
    }
  }

  function refuse(reason: string, all: readonly Fault[]): void {
    const faults = all.map((fault) => shown(fault, file?.file))
    refused = { at: new Date(now()).toISOString(), standing: true, reason, faults }
    metrics.reload('refused')
    log.error('rules refused: the ones before stay', {
      revision: rules.current().revision,
      reason,
      faults: faults.map((fault) => (isWhole(fault) ? formatFault(fault) : placeOf(fault))),
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
    await exchange?.leave(next)
    if (isStopped) return
    rules.swap(next)
    noteTargets(next)
    since = now()
    metrics.rules(next.revision)
    metrics.reload('applied')
    log.info('rules reloaded', { revision: next.revision, before })
    dropUnused()
  }

  /** Calls by the rules that they go by. */
  function callsByRevision(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    const current = rules.current().revision
    for (const link of Object.keys(config.links)) {
      for (const [, { revision: began }] of store.callsOf(link)) {
        const revision = began !== undefined && config.reload.calls === 'keep' && rules.has(began) ? began : current
        counts.set(revision, (counts.get(revision) ?? 0) + 1)
      }
    }
    return counts
  }

  function dropUnused(): void {
    if (rules.others().length === 0) return
    const counts = callsByRevision()
    rules.drop((revision) => counts.has(revision))
  }

  async function prepare(links: readonly string[]): Promise<void> {
    if (exchange === undefined) return
    // On its way before anything that is written of a call, by the same connection.
    void exchange.leave(rules.current())
    if (config.reload.calls === 'current') return
    const begun = links.flatMap((link) => store.callsOf(link).map(([, view]) => view.revision))
    const missing = [...new Set(begun)].filter((each) => each !== undefined && !rules.has(each)) as string[]
    await Promise.all(missing.map(exchange.adopt))
  }

  /** Rules that calls go by, the current ones first. */
  function inUse(): RulesStatus['inUse'] {
    const counts = callsByRevision()
    const [current, ...others] = [rules.current(), ...rules.others()].map(({ revision }) => ({
      revision,
      calls: counts.get(revision) ?? 0,
    }))
    return [current!, ...others.filter(({ calls }) => calls > 0)]
  }

  async function look(): Promise<ReloadOutcome> {
    const before = { revision: rules.current().revision, refused }
    await watcher?.look()
    const { revision } = rules.current()
    if (refused !== undefined && refused !== before.refused && refused.standing) {
      const { at, reason, faults } = refused
      return { outcome: 'refused', revision, refused: { at, reason, faults } }
    }
    return { outcome: revision === before.revision ? 'unchanged' : 'applied', revision }
  }

  return {
    start() {
      watcher?.start()
      timers.push(
        setInterval(() => {
          dropUnused()
          exchange?.leaveUnkept()
        }, DROP_MS).unref(),
      )
      if (exchange === undefined || config.store === undefined) return
      const refresh = () => void Promise.all([rules.current(), ...rules.others()].map(exchange.leave))
      timers.push(setInterval(refresh, config.store.keepMs / 3).unref())
    },
    look,
    prepare,
    status: () => ({
      revision: rules.current().revision,
      since: new Date(since).toISOString(),
      inUse: inUse(),
      ...(refused && { refused }),
    }),
    stop() {
      isStopped = true
      watcher?.stop()
      for (const timer of timers) clearInterval(timer)
    },
  }
}

/** Of a mapping file everything is shown, and which keys need a start; else only where a fault is and of what kind. */
function shown(fault: Fault, config: string | undefined): ShownFault {
  if (fault.code === 'config.restart' || (fault.code.startsWith('mapping.') && fault.file !== config)) return fault
  const { what: _, right: __, ...place } = fault
  return place
}

function isWhole(fault: ShownFault): fault is Fault {
  return fault.what !== undefined
}

function readAlso({ read }: Recorder, path: string): void {
  try {
    read(path)
  } catch {
    // That it cannot be read is noted.
  }
}
