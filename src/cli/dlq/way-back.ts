import { type Config, type NatsLinkConfig, subjectCovers } from '../../config/index.js'
import type { Letter } from './letter.js'
import type { Shelf } from './shelves.js'
import type { Resend } from './store.js'

/** Why a letter cannot be sent again. */
export interface NoWayBack {
  readonly reason: string
}

/** Where the gateway takes a letter's message from, or why there is no such place. */
export function wayBack(letter: Letter, { links, routes }: Config, shelf: Shelf, now: number): Resend | NoWayBack {
  const { link: name } = letter
  if (name === undefined) return { reason: 'it does not say which link it came by' }
  const link = Object.hasOwn(links, name) ? links[name] : undefined
  if (link === undefined) return { reason: `this configuration has no link ${name}` }
  if (!shelf.links.has(name)) return { reason: `letters of ${name} are not kept here; those of another gateway are` }
  if (link.type === 'ari' || link.type === 'ari-server') {
    return {
      reason: `${name} is a link to an Asterisk, which takes no events from us; \`dlq show ID --raw\` gives the bytes for \`patchbay translate\``,
    }
  }
  if (!routes.some(({ from }) => from === name)) return { reason: `no route of this configuration comes from ${name}` }
  if (letter.aloneUntil > now) {
    const until = new Date(letter.aloneUntil).toISOString()
    return { reason: `should it fail again before ${until}, its new letter would pass for this one; try again then` }
  }
  if (link.type === 'amqp') return { to: link.queue.name }
  const { subject } = letter.address
  return subject === undefined
    ? { reason: 'it does not say by which subject it came' }
    : { to: observed(link, subject) }
}

/** The subject as it stands on the wire. */
function observed({ observe, observePrefix = '' }: NatsLinkConfig, subject: string): string {
  return observe.some((pattern) => subjectCovers(pattern, subject)) ? observePrefix + subject : subject
}
