import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { byEntity, listen, withoutMarked } from '../faults/controller.js'
import type { GatewayProcess } from '../faults/gateway-process.js'
import { makeStories, publishStories } from '../faults/legacy-load.js'
import { configuration, openSite, startGateway, until } from '../faults/site.js'

const SHARED = { top: 'state: jetstream', legacy: 'queue: { type: quorum }' }
const TURNS = 20
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

test.each([
  ['without ids of the publisher', false],
  ['with ids of the publisher', true],
])(
  'three replicas of which the one that works is killed again and again lose nothing, double nothing and keep the order, %s',
  async (_name, ids) => {
    const { amqpUrl, nats } = await openSite(true)
    const yaml = configuration(amqpUrl, nats.url, SHARED)
    const gateways = await Promise.all([startGateway(yaml), startGateway(yaml), startGateway(yaml)])
    await Promise.all(gateways.map((gateway) => gateway.untilReady()))
    const controller = await listen(nats.url)
    const stories = makeStories(250, 20, TURNS)
    const load = publishStories(amqpUrl, stories, { ids, atOnce: 60, perSecond: 200 })
    let isOver = false
    void load.done.then(() => {
      isOver = true
    })
    let kills = 0
    while (!isOver) {
      await delay(1500)
      const holder = holderOf(gateways)
      if (holder === undefined) continue
      holder.signal('SIGKILL')
      await holder.ended
      kills += 1
      gateways.push(await startGateway(yaml))
      await delay(1500)
    }
    await load.done
    const messages = 250 * SAID_OF_A_CALL.length + 20 * TURNS
    await until(() => withoutMarked(controller.heard).length >= messages)
    expect(kills).toBeGreaterThan(1)
    const said = byEntity(withoutMarked(controller.heard))
    for (const name of stories.keys())
      expect(said.get(name), name).toEqual(name.startsWith('call') ? SAID_OF_A_CALL : COME_AND_GO)
    await controller.close()
  },
  120_000,
)
