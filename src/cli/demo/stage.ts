import { randomBytes } from 'node:crypto'
import { connect } from 'amqplib'
import { amqpTransport } from '../../transports/amqp/index.js'
import { embeddedBroker } from '../../transports/embedded/index.js'
import { natsTransport } from '../../transports/nats/index.js'
import { freePorts } from '../private-brokers/index.js'
import { startApplication } from './application.js'
import type { Asterisk } from './asterisk.js'
import type { Brokers } from './brokers.js'
import { type Ear, makeEar } from './ear.js'
import { type RunningGateway, startInside, startProcess } from './gateway.js'
import { type Peer, startPeer } from './peer.js'
import { type AppsAccess, DEAD_LETTERS, LEGACY_EXCHANGES, natsParts, REPLIES, type Site } from './site.js'

/** All sides with the gateway between them. */
export interface Stage {
  readonly site: Site
  /** What all of them heard. */
  readonly ear: Ear
  /** The legacy system and its consumers. */
  readonly legacy: Peer
  /** An XSwitch and its controllers. */
  readonly bus: Peer
  readonly asterisk: Asterisk
  readonly gateway: RunningGateway
  readonly apps: AppsAccess
  stop(): Promise<void>
}

/**
 * Starts both buses, then the gateway, in a process of its own unless one of its links is embedded; last an
 * application that connects to it.
 * @throws Trouble when one of them does not start; nothing is left running then.
 */
export async function setStage(site: Site, brokers: Brokers, asterisk: Asterisk): Promise<Stage> {
  const started: { stop(): Promise<void> }[] = []
  const ear = makeEar()
  const apps = await appsAccess()
  const addresses = { amqp: brokers.amqp.url, nats: brokers.nats.url, ari: asterisk.access, apps }
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
    ear.close()
    for (const one of started.splice(0).reverse()) await one.stop()
    if (brokers.amqp.how === 'given') await removeNames(site, brokers.amqp.url).catch(() => undefined)
  }
  try {
    const legacy = await keep(startPeer(makers.amqp(legacyLink(site, brokers)), brokers.amqp.label, ear.hear))
    const bus = await keep(startPeer(makers.nats(busLink(site, brokers)), brokers.nats.label, ear.hear))
    const inside = brokers.amqp.how === 'embedded' || brokers.nats.how === 'embedded'
    const gateway = await keep(inside ? startInside(site, addresses, makers) : startProcess(site, addresses))
    await keep(startApplication(apps, ear.hear))
    return { site, ear, legacy, bus, asterisk, gateway, apps, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function appsAccess(): Promise<AppsAccess> {
  const [port = 0] = await freePorts(1)
  return { port, username: 'demo', password: randomBytes(12).toString('hex') }
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
