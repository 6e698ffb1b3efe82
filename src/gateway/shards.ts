import type { AmqpLinkConfig, Config } from '../config/index.js'

/** Links that take from the same broker in the same words, this one included, by their names. */
function around(name: string, links: Config['links']): (readonly [string, AmqpLinkConfig])[] {
  const link = links[name]
  if (link?.type !== 'amqp') return []
  return Object.entries(links).flatMap(([each, other]) =>
    other.type === 'amqp' && other.dialect === link.dialect && other.urls.some((url) => link.urls.includes(url))
      ? [[each, other] as const]
      : [],
  )
}

/**
 * Links that each take a share of the calls of a link's broker, this one included. Whoever takes from that broker makes what all of
 * them need: then they stand before anything is divided among them, or is taken from who had it all.
 * @param isTaken whether something is done with what comes by a link
 */
export function shardsAround(
  name: string,
  links: Config['links'],
  isTaken: (link: string) => boolean,
): readonly AmqpLinkConfig[] {
  return around(name, links)
    .filter(([each, { shard }]) => shard !== undefined && isTaken(each))
    .map(([, link]) => link)
}

/** Links that hear everything else of the broker of a link that takes a share of its calls. */
export function besideShard(name: string, links: Config['links']): readonly string[] {
  return around(name, links).flatMap(([each, { shard }]) => (shard === undefined ? [each] : []))
}
