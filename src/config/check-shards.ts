import type { Fault } from './fault.js'
import type { RawConfig, RawLink, RawRoute } from './raw-view.js'
import type { YamlSource } from './yaml-source.js'

/** Faults of links that take a share of the messages: shares of different cuts, pictures asked for, routes to them. */
export function checkShards(source: YamlSource, { links, routes }: RawConfig): Fault[] {
  const shards = links.filter(({ shardExchange }) => shardExchange !== undefined)
  return [
    ...shards.flatMap((link, at) => checkCut(source, link, shards.slice(0, at))),
    ...links.flatMap(checkBeside),
    ...routes.flatMap(checkRoute),
  ]

  function checkBeside(link: RawLink): Fault[] {
    if (link.type !== 'amqp' || link.shardExchange !== undefined || link.namesMessages) return []
    if (!routes.some(({ from }) => from === link.name)) return []
    const shard = shards.find(
      (each) => each.dialect === link.dialect && each.urls.some((url) => link.urls.includes(url)),
    )
    if (shard === undefined) return []
    const what = `\`links.${shard.name}\` takes a share of the calls there, and here all of them would be told once more`
    return [source.fault(link.path, 'config.link', what, 'name the `messages` to take here, without those about calls')]
  }

  function checkRoute(route: RawRoute): Fault[] {
    const faults: Fault[] = []
    if (shards.some(({ name }) => name === route.to)) {
      const what = `\`${route.to}\` takes a share of the messages, and nothing is sent by it`
      const right = 'lead the route to a link of this broker without `shard`'
      faults.push(source.fault([...route.path, 'to'], 'config.route', what, right))
    }
    if (route.asks && shards.some(({ name }) => name === route.from)) {
      const what = `\`${route.from}\` takes a share of the messages, and would get a full picture of everything, or none`
      const right = 'leave it out, and ask by a route from a link without `shard`'
      faults.push(source.fault([...route.path, 'sync', 'ask'], 'config.route', what, right))
    }
    return faults
  }
}

function checkCut(source: YamlSource, link: RawLink, earlier: readonly RawLink[]): Fault[] {
  const faults: Fault[] = []
  if (link.namesMessages) {
    const what = '`messages` and `shard` stand together: a share is one of all messages about calls'
    faults.push(source.fault([...link.path, 'messages'], 'config.link', what, 'leave it out'))
  }
  const other = earlier.find(
    ({ shardExchange, urls }) => shardExchange === link.shardExchange && urls.some((url) => link.urls.includes(url)),
  )
  if (other === undefined) return faults
  if (other.shardBy !== link.shardBy) {
    const what = `\`links.${other.name}\` has \`${link.shardExchange}\` cut by ${other.shardBy}, and an exchange cuts one way`
    const right = `want ${other.shardBy}, or another exchange`
    faults.push(source.fault([...link.path, 'shard', 'by'], 'config.link', what, right))
  }
  if (other.dialect !== link.dialect) {
    const what = `\`links.${other.name}\` takes messages of ${other.dialect} from \`${link.shardExchange}\`, and each would get those of the other`
    faults.push(
      source.fault([...link.path, 'dialect'], 'config.link', what, 'give each dialect an exchange of its own'),
    )
  }
  return faults
}
