import type { Config } from '../config/index.js'
import type { AriSystem } from '../transports/ari-client/index.js'

/** Says why the Asterisk of a link must not be used, or undefined where it may. */
export type RefuseSystem = (link: string, system: AriSystem) => string | undefined

/**
 * Asterisk begins the ids of its channels with its system name, so two of one name can give one id to different
 * calls. Links that write ids with their node's name are free to share one.
 */
export function systemNames(links: Config['links']): RefuseSystem {
  const names = new Map<string, string>()
  const qualifies = (name: string) => {
    const link = links[name]
    return link?.type === 'ari' && link.qualifyIds
  }
  return (link, { name }) => {
    const other = qualifies(link)
      ? undefined
      : [...names].find(([each, its]) => each !== link && its === name && !qualifies(each))
    // One that is refused does not stand in the way of another.
    if (other === undefined) names.set(link, name)
    else names.delete(link)
    if (other === undefined) return undefined
    const remedy = 'give each `systemname` in asterisk.conf, or `qualifyIds: true` to one of the links'
    return `the Asterisk of \`links.${link}\` has the system name ${JSON.stringify(name)}, and so has that of \`links.${other[0]}\`; ${remedy}`
  }
}
