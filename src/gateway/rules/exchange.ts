import { setTimeout as delay } from 'node:timers/promises'
import { formatFault } from '../../config/index.js'
import type { Log, Metrics } from '../../telemetry/index.js'
import { openMapping } from '../dialects.js'
import type { RevisionTexts } from '../replicas/index.js'
import type { Rules } from './holder.js'
import type { ReadConfig } from './restart.js'
import { draftRules, makeRuleset, type RulesDraft, type Ruleset } from './ruleset.js'
import { configOf, packTexts, type RuleTexts, readerOf, unpackTexts } from './texts.js'
import { dialectsOf, unknownDialects } from './unknown-dialects.js'

/** What replicas leave to each other of their rules. Nothing of it rejects. */
export interface Exchange {
  /** Leaves the texts of rules to other replicas. Resolves when the store has them, or has let us wait for too long. */
  leave(ruleset: Ruleset): Promise<void>
  /** Leaves those again that the store did not take, as long as calls may go by them. */
  leaveUnkept(): void
  /** Takes up rules of another replica, where the store has them. */
  adopt(revision: string): Promise<void>
}

/** What it is made of. */
export interface ExchangeParts extends ReadConfig {
  readonly rules: Rules
  /** Folder of the configuration. */
  readonly folder: string
  readonly revisions: RevisionTexts
  readonly metrics: Metrics
  readonly log: Log
  /** That of the program. */
  readonly version: string
}

/** So long a store may take to keep the texts of new rules before these hold all the same. Milliseconds. */
const KEEP_WITHIN_MS = 1000

/** Makes it. */
export function makeExchange(parts: ExchangeParts): Exchange {
  const { rules, config, source, folder, revisions, metrics, log, version } = parts
  /** Texts on their way to the store. */
  const leaving = new Map<string, Promise<void>>()
  /** Revisions whose texts the store does not have. */
  const unkept = new Set<string>()
  /** Rules of other replicas that are being taken up. */
  const adopting = new Map<string, Promise<void>>()

  async function leave(ruleset: Ruleset): Promise<void> {
    const { revision } = ruleset
    const kept = leaving.get(revision) ?? put(ruleset).finally(() => leaving.delete(revision))
    leaving.set(revision, kept)
    await Promise.race([kept, delay(KEEP_WITHIN_MS, undefined, { ref: false })])
  }

  async function put({ revision, texts }: Ruleset): Promise<void> {
    try {
      unkept.add(revision)
      await revisions.put(revision, packTexts(texts, version))
      unkept.delete(revision)
    } catch (error) {
      log.warn('the texts of rules could not be kept: they are tried again', { revision, err: error })
    }
  }

  function leaveUnkept(): void {
    const inUse = [rules.current(), ...rules.others()]
    for (const ruleset of inUse) if (unkept.has(ruleset.revision)) void leave(ruleset)
    for (const revision of unkept) if (!rules.has(revision)) unkept.delete(revision)
  }

  /** Several links may need the same rules at once. */
  function adopt(revision: string): Promise<void> {
    const adopted = adopting.get(revision) ?? takeUp(revision).finally(() => adopting.delete(revision))
    adopting.set(revision, adopted)
    return adopted
  }

  async function takeUp(revision: string): Promise<void> {
    try {
      const packed = await revisions.get(revision)
      if (packed === undefined) return
      const ruleset = makeRuleset({ ...compiled(unpackTexts(packed, version)), revision }, metrics)
      rules.keep(ruleset)
      void leave(ruleset)
      log.info('rules of another replica taken up', { revision })
    } catch (error) {
      log.warn('rules of another replica could not be taken up', { revision, err: error })
    }
  }

  /** @throws Error where the links of this replica cannot go by them. */
  function compiled(texts: RuleTexts): RulesDraft {
    const named = configOf(texts, config, folder)
    const draft = draftRules(named, { folder, read: readerOf(texts, folder), open: openMapping })
    const faults =
      'faults' in draft ? draft.faults : unknownDialects(dialectsOf(config.links), [...draft.dialects.keys()], source)
    if (faults.length > 0) throw new Error(faults.map(formatFault).join('; '))
    return draft as RulesDraft // it has no faults
  }

  return { leave, leaveUnkept, adopt }
}
