import { connect } from 'amqplib'
import { expect, onTestFinished, test } from 'vitest'
import { makeStories } from '../faults/legacy-load.js'
import { DEAD_LETTERS, emptyQueue, openSite, publishAll, QUEUE, startGateway, until } from '../faults/site.js'
import { startFaultProxy } from '../harness/index.js'

test('what a killed replica took and another one is refused becomes a dead letter with the message as it came', async () => {
  const { amqpUrl, nats, legacy } = await openSite(true)
  const { amqpUrl: outUrl } = await openSite(true)
  const model = await connect(outUrl)
  onTestFinished(() => model.close())
  const out = await model.createChannel()
  await out.assertExchange('voice_events', 'topic')
  await out.assertQueue('patchbay.gw.out')
  const proxy = await startFaultProxy(Number(new URL(outUrl).port))
  onTestFinished(() => proxy.close())
  const yaml = `
group: gw
state: jetstream
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}' }
  # Nobody but the test makes its exchange.
  out: { type: amqp, dialect: voice-events, url: '${proxy.through(outUrl)}', declare: false }
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'] }
routes:
  - { from: legacy, to: out }
`
  const first = await startGateway(yaml)
  await first.untilReady()
  await until(async () => (await first.metric('gateway_lease_held', { link: 'legacy' })) === 1)
  const second = await startGateway(yaml)
  await second.untilReady()
  const ofSecond = (metric: string) => second.metric(`gateway_${metric}_messages_total`, { link: 'legacy' })
  proxy.faults.stalled = true
  const [message] = [...makeStories(1, 0, 0).values()].flat()
  await publishAll(legacy, [message!])
  // What is to be sent stands in the journal by then.
  await until(async () => (await first.metric('gateway_outbox_messages', { link: 'out' })) === 1)
  await out.deleteExchange('voice_events')
  first.signal('SIGKILL')
  await first.ended
  await until(async () => (await second.metric('gateway_outbox_messages', { link: 'out' })) === 1)
  await until(async () => (await ofSecond('duplicate')) === 1)
  proxy.faults.stalled = false

  let letters = await emptyQueue(legacy, DEAD_LETTERS)
  await until(async () => {
    letters = [...letters, ...(await emptyQueue(legacy, DEAD_LETTERS))]
    return letters.length > 0
  })
  expect(letters.map(({ content }) => content.toString())).toEqual([String(message!.body)])
  expect(letters[0]!.properties.headers).toMatchObject({
    'patchbay-error-code': 'link.refused',
    'patchbay-link': 'legacy',
  })
  expect(await ofSecond('duplicate')).toBe(1)
  expect(await ofSecond('dead_letter')).toBe(1)
  expect(await ofSecond('dropped')).toBe(0)
  // It is settled: who takes the queue over finds nothing in it.
  second.signal('SIGTERM')
  await second.ended
  await expect.poll(async () => (await legacy.checkQueue(QUEUE)).messageCount).toBe(0)
}, 60_000)
