import { setTimeout as delay } from 'node:timers/promises'
import { expect, inject, test } from 'vitest'
import { amqpTransport } from '../../src/transports/amqp/index.js'
import { freshName, freshVhost, startFaultProxy } from '../harness/index.js'
import { recorder } from './recorder.js'

test('cut again and again while it is being set up, a link comes back', async () => {
  const url = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  const proxy = await startFaultProxy(Number(new URL(url).port))
  const got = recorder()
  const exchanges = Array.from({ length: 3 }, () => ({ name: freshName('x'), type: 'fanout' }))
  const queue = { name: freshName('q'), type: 'classic' as const }
  const bindings = exchanges.map(({ name }) => ({ exchange: name, key: '' }))
  const transport = amqpTransport({
    urls: [proxy.through(url)],
    reconnect: { minDelayMs: 10, maxDelayMs: 20 },
    exchanges,
    consume: [{ queue, bindings }],
  })
  await transport.start(got)
  proxy.faults.latencyMs = 5 // stretches the set-up
  for (let turn = 0; turn < 15; turn++) {
    proxy.cut()
    await delay(80 + turn * 20)
  }
  proxy.faults.latencyMs = 0
  const ups = got.of('up').length
  proxy.cut()
  await got.until('up', ups + 1, 10_000)
  await transport.send({ address: { exchange: exchanges[0]!.name, key: '' }, headers: {}, body: Buffer.from('x') })
  await got.received(1)
  expect(got.of('interrupted').length).toBeGreaterThan(0)
  await transport.stop()
  await proxy.close()
})
