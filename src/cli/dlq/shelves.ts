import type { AmqpLinkConfig, Config, NatsLinkConfig } from '../../config/index.js'
import { deadLetterPlace } from '../../gateway/links.js'
import { openAmqpStore } from './amqp-store.js'
import { openNatsStore } from './nats-store.js'
import type { LetterStore } from './store.js'

/** A place where letters are kept, of one link or of several. */
export interface Shelf {
  /** As it is told to the operator: the link whose broker it is at, and the queue or subject. */
  readonly name: string
  /** Links whose letters come here. */
  readonly links: ReadonlySet<string>
  /**
   * Opens it; undefined where nobody keeps what comes here.
   * @throws GatewayError `link.connect`
   */
  open(note: (text: string) => void): Promise<LetterStore | undefined>
}

function withoutLogin(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}

/** Links with equal keys put their letters into the same queue or stream. */
function keyOf(link: AmqpLinkConfig | NatsLinkConfig): string {
  return link.type === 'amqp'
    ? JSON.stringify([link.urls.map(withoutLogin).sort(), link.deadLetter.queue])
    : JSON.stringify([[...link.servers].sort(), link.credentials, link.deadLetterSubject])
}

function shelfOf(name: string, link: AmqpLinkConfig | NatsLinkConfig, links: ReadonlySet<string>): Shelf {
  if (link.type === 'amqp') {
    return { name: `${name}, queue ${link.deadLetter.queue}`, links, open: (note) => openAmqpStore(name, link, note) }
  }
  return { name: `${name}, subject ${link.deadLetterSubject}`, links, open: () => openNatsStore(name, link) }
}

/**
 * Every place where links of a configuration put their letters, each once.
 * @param only the link whose letters are looked for; a name that is no link's may stand in any place
 */
export function shelvesOf({ links }: Config, only?: string): Shelf[] {
  const found = new Map<string, { readonly name: string; readonly members: Set<string> }>()
  for (const name of Object.keys(links)) {
    const place = deadLetterPlace(name, links)
    const keeper = place === undefined ? undefined : links[place.link]
    if (place === undefined || (keeper?.type !== 'amqp' && keeper?.type !== 'nats')) continue
    const key = keyOf(keeper)
    const shelf = found.get(key) ?? { name: place.link, members: new Set() }
    found.set(key, shelf)
    shelf.members.add(name)
  }
  return [...found.values()].flatMap(({ name, members }) => {
    const keeper = links[name]
    if (keeper?.type !== 'amqp' && keeper?.type !== 'nats') return []
    if (only !== undefined && links[only] !== undefined && !members.has(only)) return []
    return [shelfOf(name, keeper, members)]
  })
}
