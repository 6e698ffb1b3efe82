/** Everything that comes of mapping files and routes, and how it changes while the gateway runs. */
export { checkFiles } from './check-files.js'
export { fixedRules, makeRules, type RuleSource, type Rules } from './holder.js'
export { type ConfigFile, makeReloading, type Reloading } from './reloading.js'
export type { ReadConfig } from './restart.js'
export { draftRules, makeRuleset, type RouteTable, type RulesDraft, type Ruleset } from './ruleset.js'
export { isTakenFrom } from './serving.js'
export { dialectsOf, unknownDialects } from './unknown-dialects.js'
export { readThrough } from './watcher.js'
