import { connect } from 'amqplib'
import { amqpTransport } from '../../transports/amqp/index.js'
import { embeddedBroker } from '../../transports/embedded/index.js'
import { natsTransport } from '../../transports/nats/index.js'
import type { Brokers } from './brokers.js'
import { type RunningGateway, startInside, startProcess } from './gateway.js'
import { type Peer, startPeer } from './peer.js'
import { DEAD_LETTERS, LEGACY_EXCHANGES, natsParts, REPLIES, type Site } from './site.js'

/** Both sides with the gateway between them. */
export interface Stage {
  readonly site: Site
  /** The legacy system and its consumers. */
  readonly legacy: Peer
  /** An XSwitch and its controllers. */
  readonly bus: Peer
  readonly gateway: RunningGateway
  stop(): Promise<void>
}

/**
 * Starts both sides, then the gateway: in a process of its own, unless one of its links is embedded.
 * @throws Trouble when one of them does not start; nothing is left running then.
 */
export async function setStage(site: Site, brokers: Brokers): Promise<Stage> {
  const started: { stop(): Promise<void> }[] = []
  const addresses = { amqp: brokers.amqp.url, nats: brokers.nats.url }
  const embedded = embeddedBroker()
  const makers = {
    amqp: brokers.amqp.how === 'embedded' ? embedded.amqp : amqpTransport,
    nats: brokers.nats.how === 'embedded' ? embedded.nats : natsTransport,
  }
  const keep = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const one = await starting
    started.push(one)
    return one
  }
  async function stop(): Promise<void> {
    for (const one of started.splice(0).reverse()) await one.stop()
    if (brokers.amqp.how === 'given') await removeNames(site, brokers.amqp.url).catch(() => undefined)
  }
  try {
    const legacy = await keep(startPeer(makers.amqp(legacyLink(site, brokers)), brokers.amqp.label))
    const bus = await keep(startPeer(makers.nats(busLink(site, brokers)), brokers.nats.label))
    const inside = brokers.amqp.how === 'embedded' || brokers.nats.how === 'embedded'
    const gateway = await keep(inside ? startInside(site, addresses, makers) : startProcess(site, addresses))
    return { site, legacy, bus, gateway, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function legacyLink({ exchange, queue: name }: Site, { amqp }: Brokers) {
  const own = Object.entries(LEGACY_EXCHANGES).map(([each, type]) => ({ name: exchange(each), type }))
  const exchanges = [...own, { name: exchange(DEAD_LETTERS), type: 'fanout' }]
  const bindings = exchanges.map(({ name: from, type }) => ({ exchange: from, key: type === 'topic' ? '#' : '' }))
  // Should this process die, the broker forgets the queue by itself.
  const queue = { name, type: 'classic', arguments: { 'x-expires': 60_000 } } as const
  return { name: 'demo-legacy', urls: [amqp.url], exchanges, consume: [{ queue, bindings }] }
}

function busLink({ subject }: Site, { nats }: Brokers) {
  const { server, credentials } = natsParts(nats.url)
  const subjects = [subject('cn.xswitch.>'), `${subject(REPLIES)}.*`]
  return {
    name: 'demo-bus',
    servers: [server],
    subscriptions: subjects.map((each) => ({ subject: each })),
    ...(credentials && { credentials }),
  }
}

/** Takes away what the demo declared on a broker of others; queues first, for they hold on to exchanges. */
async function removeNames({ group, queue, exchange }: Site, url: string): Promise<void> {
  const model = await connect(url)
  try {
    const channel = await model.createChannel()
    for (const name of [queue, `patchbay.${group}.legacy`, exchange(DEAD_LETTERS)]) await channel.deleteQueue(name)
    for (const name of [...Object.keys(LEGACY_EXCHANGES), DEAD_LETTERS]) await channel.deleteExchange(exchange(name))
  } finally {
    await model.close()
  }
}
