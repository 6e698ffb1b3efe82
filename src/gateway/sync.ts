import type { Dialect } from '../mapping/dialect.js'
import type { Fact, FactOf, Scope } from '../model/index.js'
import type { Log } from '../telemetry/index.js'
import type { Transport } from '../transports/transport.js'
import { HEADERS, headersOf } from './headers.js'
import type { Arrival } from './hub.js'
import { says, TERMINALS } from './route.js'
import type { Rules } from './rules/index.js'
import { besideShard } from './shards.js'
import type { CallView, StateStore } from './state.js'
import { stating } from './stating.js'

/** A link that syncs may be asked on. */
export interface SyncLink {
  readonly name: string
  readonly transport: Pick<Transport, 'send'>
}

/** Times in milliseconds. */
export interface SyncOptions {
  /** How long a living publisher may take to answer before we do. */
  readonly waitMs: number
  /** How long a publisher counts as alive after its last message. */
  readonly publisherAliveMs: number
  /** `none`: there is no other publisher on these links, so our picture is the whole. */
  readonly publisher: 'auto' | 'none'
}

/** What the desk is made of. */
export interface SyncParts {
  readonly group: string
  readonly links: ReadonlyMap<string, SyncLink>
  readonly rules: Pick<Rules, 'current' | 'others' | 'ofCall'>
  readonly store: StateStore
  readonly options: SyncOptions
  readonly log: Log
  readonly now: () => number
}

/** Asks for full pictures and answers those who ask. */
export interface SyncDesk {
  /** Asks a link for its full pictures. Does nothing where its dialect has no words for that. */
  ask(link: string): Promise<void>
  /** Follows what arrives: who lives, whose picture is known, who asks. */
  note(arrival: Arrival): void
  /** Drops what waits. */
  stop(): void
}

interface Publisher {
  lastHeard: number
  /** It became the standby and answers no syncs. */
  standby: boolean
  readonly known: Set<Scope>
}

/** Order key of full pictures of calls. */
const CHANNELS = 'channels'
const ASKABLE: readonly Scope[] = ['channels', 'terminals']

/**
 * While a publisher of the link lives, it answers first: then one picture is published, last, of what it
 * told and what we know beside it. A picture that lacks the publisher's part would make its terminals
 * count as offline, so as long as that part is unknown only single changes are told.
 */
export function makeSyncDesk(parts: SyncParts): SyncDesk {
  const { links, rules, store, options, log, now } = parts
  const publishers = new Map<string, Publisher>()
  const waiting = new Map<string, NodeJS.Timeout>()
  /** Makes the names of what we ask and answer unlike each other. */
  let said = 0

  // A full picture is of all calls, so it goes by the current rules, whatever those of each call.
  const dialectOf = ({ name }: SyncLink) => rules.current().dialectOf(name)
  const answers = (link: string) => rules.current().config.routes.some(({ to, sync }) => to === link && sync.answer)

  const asks = (link: string) => rules.current().config.routes.some(({ from, sync }) => from === link && sync.ask)

  function publisherOf(link: string): Publisher {
    let found = publishers.get(link)
    if (found === undefined) {
      found = { lastHeard: Number.NEGATIVE_INFINITY, standby: false, known: new Set() }
      publishers.set(link, found)
    }
    return found
  }

  async function ask(name: string): Promise<void> {
    const link = links.get(name)
    if (link === undefined || !says(dialectOf(link), 'sync')) return
    for (const of of ASKABLE) {
      said += 1
      await publish(link, [
        { kind: 'sync', of, meta: { id: `${parts.group}-${name}-ask-${now()}-${said}`, at: now() } },
      ])
    }
  }

  async function publish(link: SyncLink, facts: readonly Fact[]): Promise<void> {
    const { messages } = dialectOf(link).encode({ facts })
    await sendAll(link, messages)
  }

  async function sendAll(link: SyncLink, messages: ReturnType<Dialect['encode']>['messages']): Promise<void> {
    const sends = messages.map((message) => {
      const id = message.facts[0]?.meta?.id ?? `${parts.group}-${link.name}-sync-${now()}-${++said}`
      return link.transport.send({
        address: message.address,
        headers: { ...headersOf(message.facts, [parts.group]), [HEADERS.id]: id },
        body: message.body,
        orderKey: message.facts[0]?.kind === 'channel' ? CHANNELS : TERMINALS,
        messageId: id,
        at: now(),
      })
    })
    await Promise.all(sends)
  }

  function note(arrival: Arrival): void {
    const { link, path, full } = arrival
    const publisher = publisherOf(link)
    for (const fact of arrival.facts) {
      if (fact.kind === 'sync' && fact.of !== undefined && answers(link)) requested(link, fact.of)
    }
    // What passed a gateway is that gateway's word, and who asks for a picture need not have one.
    if (path.length > 0 || arrival.facts.some((fact) => fact.kind === 'sync')) return
    publisher.lastHeard = now()
    // Whoever says something of calls to the links that share them is the one who answers on the link beside.
    if (arrival.isShare === true)
      for (const beside of besideShard(link, rules.current().config.links)) publisherOf(beside).lastHeard = now()
    for (const fact of arrival.facts) if (fact.kind === 'lifecycle') lifecycle(link, publisher, fact.event)
    if (full === undefined) return
    publisher.known.add(full)
    publisher.standby = false
    const key = `${link}\u0000${full}`
    const waits = waiting.get(key)
    if (waits === undefined) return
    clearTimeout(waits)
    waiting.delete(key)
    answer(link, full)
  }

  function lifecycle(link: string, publisher: Publisher, event: string | undefined): void {
    if (event === 'cluster-backup') publisher.standby = true
    else if (event === 'cluster-master') publisher.standby = false
    if (!asks(link)) return
    if (event === 'cluster-master' || event === 'reboot-calls' || event === 'voice-crash') {
      ask(link).catch((error: unknown) => log.warn('a full picture could not be asked for', { link, err: error }))
    }
  }

  function requested(link: string, scope: Scope): void {
    const key = `${link}\u0000${scope}`
    if (waiting.has(key)) return
    const publisher = publisherOf(link)
    const lives =
      options.publisher === 'auto' && !publisher.standby && now() - publisher.lastHeard < options.publisherAliveMs
    const timer = setTimeout(
      () => {
        waiting.delete(key)
        answer(link, scope)
      },
      lives ? options.waitMs : 0,
    )
    waiting.set(key, timer)
  }

  function answer(name: string, scope: Scope): void {
    answerNow(name, scope).catch((error: unknown) =>
      log.warn('a sync could not be answered', { link: name, scope, err: error }),
    )
  }

  async function answerNow(name: string, scope: Scope): Promise<void> {
    const link = links.get(name)!
    const ours = sourcesOf(name, scope).flatMap((from) => pictureOf(from, scope, (view) => isToldOf(view, from, name)))
    const whole = options.publisher === 'none' || publisherOf(name).known.has(scope)
    if (!whole) {
      log.info('sync answered with changes only: the picture of the publisher is not known', { link: name, scope })
      return publish(link, onceEach(ours))
    }
    const theirs = pictureOf(name, scope, () => true)
    const facts = onceEach([...theirs, ...ours]).map((fact): Fact => ({ ...fact, full: true }))
    if (facts.length > 0) return publish(link, facts)
    const empty = dialectOf(link).encodeEmpty(scope)
    if (empty !== undefined) await sendAll(link, [empty])
  }

  /** Links whose part a link is told of: of calls also those whose routes only other rules have. */
  function sourcesOf(name: string, scope: Scope): string[] {
    const tables = scope === 'channels' ? [rules.current(), ...rules.others()] : [rules.current()]
    const routes = tables.flatMap((table) => table.routes.filter(({ from, to }) => to === name && from !== name))
    return [...new Set(routes.map(({ from }) => from))]
  }

  /** Whether a link heard of a call, by the rules that the call goes by. */
  function isToldOf(view: CallView, from: string, to: string): boolean {
    const { routes } = rules.ofCall(view)
    return routes.some((route) => route.to === to && route.from === from && view.told[route.name]?.opened === true)
  }

  function pictureOf(link: string, scope: Scope, isTold: (view: CallView) => boolean): Fact[] {
    if (scope === 'terminals') {
      const terminals = store.terminalsOf(link)
      return terminals
        .filter(({ online }) => online)
        .map(({ serial, number }) => ({
          kind: 'terminal',
          serial,
          state: 'online',
          change: 'state',
          ...(number !== undefined && { number }),
        }))
    }
    if (scope !== 'channels') return []
    const calls = store.callsOf(link)
    return calls.filter(([, view]) => isTold(view)).map(([, view]) => stating(view))
  }

  return {
    ask,
    note,
    stop() {
      for (const timer of waiting.values()) clearTimeout(timer)
      waiting.clear()
    },
  }
}

/** A terminal that several servers know is told once, with the number that one of them has for it. */
function onceEach(facts: readonly Fact[]): Fact[] {
  const terminals = new Map<string, FactOf<'terminal'>>()
  const out: Fact[] = []
  for (const fact of facts) {
    const before = fact.kind === 'terminal' ? terminals.get(fact.serial ?? '') : undefined
    if (fact.kind !== 'terminal' || before === undefined) out.push(fact)
    if (fact.kind !== 'terminal') continue
    if (before === undefined) terminals.set(fact.serial ?? '', fact)
    else if (before.number === undefined && fact.number !== undefined) before.number = fact.number
  }
  return out
}
