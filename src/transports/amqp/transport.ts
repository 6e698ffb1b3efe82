import type { Channel, ChannelModel } from 'amqplib'
import { stopPatience } from '../patience.js'
import type { LinkEvent, LinkHandlers, StartOptions, Transport } from '../transport.js'
import type { AmqpConfig, AmqpConsume } from './config.js'
import { type KeptConnection, keepConnection } from './connection.js'
import { type QueueConsumer, queueConsumer } from './consumer.js'
import { makePublisher } from './publisher.js'
import { declareExchanges, declareQueue } from './topology.js'

/** Joins the stories of several connections: up when all are, down when the first is lost. */
function joinReports(connections: number, report: (event: LinkEvent) => void) {
  let standing = 0
  return {
    stands: () => standing === connections,
    report(event: LinkEvent) {
      if (event.kind === 'up' && ++standing < connections) return
      if (event.kind === 'down' && standing-- < connections) return
      report(event)
    },
  }
}

/**
 * Carries frames between RabbitMQ and the gateway; address `{exchange, key}`. Consumes and publishes on two
 * connections, because a broker short of memory stops reading from those that publish, and then our
 * acknowledgements must still reach it.
 *
 * A frame is sent when the broker confirmed it; one that nobody is bound to receive is confirmed too and
 * reported as `returned`. `send` rejects with `link.refused` (no such exchange), `link.forbidden`,
 * `link.too-large` (also headers over 64 KiB) or, stopped, `gateway.stopping`. `start` rejects with
 * `link.connect` for refused credentials, vhost or certificates and `link.forbidden` for refused topology.
 * A silent peer is `trouble` within 4 s, and its connection ends within three heartbeats; an exchange of ours that is
 * gone is `trouble`, too, and made anew with its bindings where `declare` is on.
 */
export function amqpTransport(config: AmqpConfig): Transport {
  let handlers: LinkHandlers | undefined
  let connections: KeptConnection[] = []
  let stands = () => false
  let consumers: QueueConsumer[] = []
  let onSettled: (() => void) | undefined
  let standsBy = false
  let releasing: Promise<void> | undefined
  let draining: Promise<void> | undefined
  let stopping: Promise<void> | undefined
  const publisher = makePublisher(config, (event) => handlers?.report(event))

  const patience = stopPatience(config.stopGraceMs)
  const unsettled = () => consumers.reduce((sum, consumer) => sum + consumer.unsettled(), 0)
  const settledAll = () =>
    new Promise<void>((resolve) => {
      onSettled = () => unsettled() === 0 && resolve()
      onSettled()
    })

  function reportStandby(): void {
    if (standsBy && consumers.length > 0) handlers?.report({ kind: 'standby', ...(!stands() && { isDown: true }) })
  }

  async function release(): Promise<void> {
    standsBy = true
    await Promise.all(consumers.map((consumer) => consumer.release()))
    reportStandby()
  }

  async function drain(): Promise<void> {
    for (const consumer of consumers) consumer.cancel()
    await Promise.race([settledAll(), patience()])
    if (unsettled() > 0) return // it may still be settled before we close
    await Promise.race([Promise.all(consumers.map((consumer) => consumer.release())), patience()])
  }

  async function stop(): Promise<void> {
    draining ??= drain()
    await draining
    await Promise.race([publisher.idle(), patience()])
    publisher.close()
    // Acknowledgements travel on the channels; a connection's goodbye would overtake them.
    await Promise.race([Promise.all(consumers.map((consumer) => consumer.close())), patience()])
    await Promise.all(connections.map((connection) => connection.close()))
  }

  const hashExchangeOf = ({ shard }: AmqpConsume) => (shard === undefined ? [] : [shard.exchange])
  /** Exchanges that were made with bindings of ours, or that we publish to, are to stay. */
  const made = [...(config.exchanges ?? []).map(({ name }) => name), ...(config.consume ?? []).flatMap(hashExchangeOf)]
  const declared = config.declare === false ? [] : made

  async function probeSource(channel: Channel): Promise<void> {
    if (declared.length === 0) await channel.prefetch(0)
    for (const name of declared) await channel.checkExchange(name)
  }

  async function probeTarget(channel: Channel): Promise<void> {
    // Where there is a source, only its connection looks: whoever makes an exchange anew has to bind the queue, too.
    if (consumers.length === 0) await probeSource(channel)
    else await channel.prefetch(0)
    for (const name of publisher.missing()) {
      await channel.checkExchange(name)
      publisher.found(name)
    }
  }

  function openConnections(to: LinkHandlers, mayMend: StartOptions['mayMend']): void {
    const consuming = consumers.length > 0
    const joined = joinReports(consuming ? 2 : 1, to.report)
    const { report } = joined
    stands = joined.stands
    const declareTarget = async (model: ChannelModel) => {
      await declareExchanges(model, config, to.report)
      for (const entry of config.keep ?? []) await declareQueue(model, config, entry, to.report)
    }
    const declareSource = async (model: ChannelModel) => {
      for (const consumer of consumers) await consumer.declare(model)
      await declareTarget(model)
    }
    const publish = keepConnection(config, 'publish', {
      async setUp(model) {
        await declareTarget(model)
        await publisher.begin(model)
      },
      lost: publisher.lost,
      report,
      mayMend,
      life: { probe: probeTarget, mend: consuming ? async () => undefined : declareTarget },
    })
    connections = [publish]
    if (!consuming) return
    const consume = keepConnection(config, 'consume', {
      setUp: async (model) => void (await Promise.all(consumers.map((consumer) => consumer.begin(model)))),
      lost: () => consumers.forEach((consumer) => void consumer.lost()),
      report,
      mayMend,
      life: { probe: probeSource, mend: declareSource },
    })
    connections.push(consume)
  }

  return {
    name: config.name ?? 'amqp',
    async start(to, { standby = false, mayMend } = {}) {
      handlers = to
      standsBy = standby
      if (standby) releasing = Promise.resolve()
      const parts = { handlers: to, standby, onSettled: () => onSettled?.() }
      consumers = (config.consume ?? []).map((entry) => queueConsumer(config, entry, parts))
      openConnections(to, mayMend)
      try {
        await Promise.all(connections.map(({ opened }) => opened))
      } catch (error) {
        await Promise.all(connections.map((connection) => connection.close()))
        throw error
      }
      if (standby) reportStandby()
    },
    consume() {
      if (!standsBy) return
      standsBy = false
      releasing = undefined
      for (const each of consumers) each.consume()
    },
    release: () => (releasing ??= release()),
    send: publisher.send,
    unconfirmed: publisher.unconfirmed,
    drain: () => (draining ??= drain()),
    stop: () => (stopping ??= stop()),
  }
}
