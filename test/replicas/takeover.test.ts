import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { byEntity, listen, withoutMarked } from '../faults/controller.js'
import type { GatewayProcess } from '../faults/gateway-process.js'
import { makeStories, publishStories } from '../faults/legacy-load.js'
import { configuration, openSite, startGateway, until } from '../faults/site.js'

const SHARED = { top: 'state: jetstream', legacy: 'queue: { type: quorum }' }
const TURNS = 20
const CALLS = 150
const TERMINALS = 12
const SAID_OF_A_CALL = ['START', 'MEDIA', 'RINGING', 'ANSWERED', 'ANSWERED held', 'ANSWERED', 'CDR', 'DESTROY']
const COME_AND_GO = Array.from({ length: TURNS }, (_, turn) => (turn % 2 === 0 ? 'online' : 'offline'))

/** The replica that began a duty last. */
function holderOf(gateways: readonly GatewayProcess[]): GatewayProcess | undefined {
  const begunAt = ({ lines }: GatewayProcess) => lines.findLast((line) => line.includes('"duty begun"')) ?? ''
  const time = (line: string) => (line === '' ? 0 : Date.parse((JSON.parse(line) as { time: string }).time))
  return gateways
    .filter((each) => each.isRunning() && begunAt(each) !== '')
    .toSorted((a, b) => time(begunAt(b)) - time(begunAt(a)))[0]
}

/** Calls and terminals of one publisher, by names that no other has. */
function storiesOf(prefix: string) {
  const stories = makeStories(CALLS, TERMINALS, TURNS)
  return new Map(
    [...stories].map(([name, story]) => [
      `${prefix}${name}`,
      story.map((message) => ({ ...message, body: String(message.body).replaceAll(name, `${prefix}${name}`) })),
    ]),
  )
}

test('three replicas of which the one that works is killed again and again lose nothing, double nothing and keep the order', async () => {
  const { amqpUrl, nats } = await openSite(true)
  const yaml = configuration(amqpUrl, nats.url, SHARED)
  const gateways = await Promise.all([startGateway(yaml), startGateway(yaml), startGateway(yaml)])
  await Promise.all(gateways.map((gateway) => gateway.untilReady()))
  const controller = await listen(nats.url)
  const [named, nameless] = [storiesOf('named-'), storiesOf('nameless-')]
  const loads = [
    publishStories(amqpUrl, named, { ids: true, atOnce: 40, perSecond: 120 }),
    publishStories(amqpUrl, nameless, { ids: false, atOnce: 40, perSecond: 120 }),
  ]
  const done = Promise.all(loads.map((load) => load.done))
  let isOver = false
  void done.then(() => {
    isOver = true
  })
  const starting: Promise<number>[] = []
  let kills = 0
  while (!isOver) {
    await delay(1500)
    const holder = holderOf(gateways)
    if (holder === undefined) continue
    holder.signal('SIGKILL')
    await holder.ended
    kills += 1
    // Others go on meanwhile, and on a busy machine a start takes longer than the load.
    starting.push(startGateway(yaml).then((gateway) => gateways.push(gateway)))
    await delay(1500)
  }
  await Promise.all([done, ...starting])
  const messages = 2 * (CALLS * SAID_OF_A_CALL.length + TERMINALS * TURNS)
  await until(() => withoutMarked(controller.heard).length >= messages)
  expect(kills).toBeGreaterThan(1)
  const said = byEntity(withoutMarked(controller.heard))
  for (const name of [...named.keys(), ...nameless.keys()])
    expect(said.get(name), name).toEqual(name.includes('call') ? SAID_OF_A_CALL : COME_AND_GO)
  await controller.close()
}, 120_000)
