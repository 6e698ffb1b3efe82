import { dirname, resolve } from 'node:path'
import type { Environment, Fault, RouteConfig, YamlSource } from '../../config/index.js'
import type { OpenMapping, ReadText } from '../dialects.js'
import { checkFiles } from './check-files.js'
import { type ReadConfig, restartFaults } from './restart.js'
import { draftRules, type RulesDraft } from './ruleset.js'
import { type Serving, servingOf, unserved } from './serving.js'

/** A configuration file as it is found, and what the gateway runs with. */
export interface Question {
  readonly file: string
  readonly env: Environment
  readonly running: ReadConfig
  readonly serving: Serving
  readonly open: OpenMapping
  /** Targets that names of routes must keep: running calls go by the routes of these names at once. */
  readonly targets: ReadonlyMap<string, string>
}

/** What became of it: rules that may run, or everything that is wrong with them. */
export type Judgement = { readonly draft: RulesDraft } | { readonly faults: readonly Fault[] }

/** Checks files as `patchbay check` does, and whether a gateway that runs can take what they say. */
export function judgeFiles({ file, env, running, serving, open, targets }: Question, read: ReadText): Judgement {
  const { faults, loaded } = checkFiles(file, env, read, open)
  if (loaded.faults !== undefined || faults.length > 0) return { faults }
  const { source, config: next } = loaded
  const forAStart = restartFaults(running, { config: next, source })
  if (forAStart.length > 0) return { faults: forAStart }
  const { routes, mappings: paths, settings } = next
  const config = { ...running.config, routes, mappings: paths, settings }
  const draft = draftRules(config, { folder: dirname(resolve(file)), read, open })
  if ('faults' in draft) return draft
  const missing = unserved(serving, servingOf(draft)).map((what) =>
    source.fault(['routes'], 'config.restart', `routes and mappings: ${what}`, 'start the gateway anew', 'key'),
  )
  const unfit = [...missing, ...otherTargets(routes, targets, source)]
  return unfit.length > 0 ? { faults: unfit } : { draft }
}

/** A receiver would be told the middle of calls whose beginning another one was told. */
function otherTargets(
  routes: readonly RouteConfig[],
  targets: ReadonlyMap<string, string>,
  source: YamlSource,
): Fault[] {
  return routes.flatMap(({ name, to }, at) => {
    const before = targets.get(name)
    if (before === undefined || before === to) return []
    const what = `the route ${name} went to \`links.${before}\`, and with \`calls: current\` its calls would move`
    return [
      source.fault(['routes', at, 'to'], 'config.restart', what, 'give it another name, or start the gateway anew'),
    ]
  })
}
