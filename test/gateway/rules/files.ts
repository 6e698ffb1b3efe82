import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { formatFault, parseConfig } from '../../../src/config/index.js'
import { rememberMappings } from '../../../src/gateway/dialects.js'
import { readThrough } from '../../../src/gateway/rules/index.js'
import { draftRules, makeRuleset, type RulesDraft } from '../../../src/gateway/rules/ruleset.js'
import { createLog, createMetrics } from '../../../src/telemetry/index.js'

/** A folder that goes with the test. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-rules-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A site's own mapping of the legacy side: entries that are laid over those of its events. */
export const legacyWith = (item: string) => `mapping: v1
dialect: voice-events
extends: patchbay/voice-events.yaml
messages: { channel-states: { item: ${item} } }
`

export const CONFIG = `group: gw
mappings: [site.yaml, patchbay/xcc.yaml]
links:
  legacy: { type: amqp, dialect: voice-events, url: 'amqp://u:p@localhost' }
  other: { type: amqp, dialect: voice-events, url: 'amqp://u:p@elsewhere' }
  bus: { type: nats, dialect: xcc, servers: ['nats://localhost:4222'] }
routes:
  - { from: legacy, to: bus }
  - { from: bus, to: legacy }
`

/** Writes a configuration with its mapping. */
export function writeSite(folder: string, site: string, config = CONFIG): string {
  const file = join(folder, 'patchbay.yaml')
  writeFileSync(file, config)
  writeFileSync(join(folder, 'site.yaml'), site)
  return file
}

export const open = rememberMappings()

/** The rules of a configuration, with what else a gateway has of it. @throws Error with every fault. */
export function draftOf(folder: string, site: string, config = CONFIG) {
  const file = writeSite(folder, site, config)
  const loaded = parseConfig(config, file, {})
  if (loaded.faults !== undefined) throw new Error(loaded.faults.map(formatFault).join('\n'))
  const draft = draftRules(loaded.config, { folder, read: readThrough, open })
  if ('faults' in draft) throw new Error(draft.faults.map(formatFault).join('\n'))
  return { file, draft, ...loaded }
}

export function metricsOf({ config }: RulesDraft) {
  return createMetrics({ links: Object.keys(config.links), routes: config.routes, version: '0', process: false })
}

/** The rules of a mapping of the legacy side, ready to run. */
export function rulesetOf(site: string, config = CONFIG) {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-rules-'))
  const { draft } = draftOf(folder, site, config)
  rmSync(folder, { recursive: true })
  return makeRuleset(draft, metricsOf(draft))
}

/** A log that is kept. */
export function keptLog() {
  const lines: string[] = []
  return { lines, log: createLog({ level: 'info', format: 'json' }, { write: (line) => void lines.push(line) }) }
}
