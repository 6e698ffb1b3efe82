import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { freePorts } from '../../src/cli/private-brokers/loopback.js'
import { byEntity, listen, withoutMarked } from '../faults/controller.js'
import { type GatewayProcess, runGateway } from '../faults/gateway-process.js'
import { until } from '../faults/site.js'
import { outboundFiles, startAsterisk, startNats, type TestAsterisk, type TestNats } from '../harness/index.js'

const cleanUps: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** One address for all replicas, as a Service of Kubernetes is: each connection goes to the next, whether it listens or not. */
async function startService(ports: readonly number[]): Promise<number> {
  const sockets = new Set<Socket>()
  let turn = 0
  const server = createServer((client) => {
    const target = connect(ports[turn++ % ports.length]!, '127.0.0.1')
    for (const [one, other] of [[client, target] as const, [target, client] as const]) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port // it listens on TCP
}

const outbound = (port: number) => outboundFiles(`ws://127.0.0.1:${port}/`, { username: 'ast1', password: 'sesame' })

const configuration = (nats: TestNats, asterisk: TestAsterisk, port: number) => `
group: gw
state: jetstream
links:
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'] }
  ast1:
    type: ari
    dialect: stasis
    url: '${asterisk.url}'
    username: ${asterisk.user}
    password: ${asterisk.password}
    listen: { port: ${port}, username: ast1, password: sesame }
routes:
  - { from: ast1, to: bus, loopback: true }
`

const consumes = ({ lines }: GatewayProcess) =>
  lines.some((line) => line.includes('"link consuming"') && line.includes('"link":"ast1"'))

test('while one replica after the other goes, no call of an Asterisk that connects to them is lost or told twice', async () => {
  const ports = await freePorts(2)
  const service = await startService(ports)
  const [asterisk, nats] = await Promise.all([startAsterisk({ append: outbound(service) }), startNats()])
  cleanUps.push(
    () => asterisk.stop(),
    () => nats.stop(),
  )
  const gateways: { readonly gateway: GatewayProcess; readonly port: number }[] = []
  const isHeld = ({ gateway }: { gateway: GatewayProcess }) => gateway.isRunning() && consumes(gateway)
  const add = async (port: number) => {
    const gateway = await runGateway(configuration(nats, asterisk, port))
    cleanUps.push(() => gateway.remove())
    gateways.push({ gateway, port })
  }
  await add(ports[0]!)
  await add(ports[1]!)
  await until(() => gateways.some(isHeld))
  const controller = await listen(nats.url)
  const destroyed = () => withoutMarked(controller.heard).filter(({ word }) => word === 'DESTROY')
  const calls: string[] = []
  let isOver = false
  const calling = (async () => {
    while (!isOver) {
      const id = `call-${calls.length}`
      calls.push(id)
      const query = { endpoint: 'Local/wait-0.5@services', context: 'services', extension: 'in-patchbay', priority: 1 }
      await asterisk.ari('POST', '/channels', { ...query, channelId: id, otherChannelId: `${id}-far` })
      await delay(150)
    }
  })()
  const replace = async (signal: 'SIGTERM' | 'SIGKILL') => {
    const { gateway, port } = gateways.find(isHeld)!
    gateway.signal(signal)
    await gateway.ended
    await until(() => gateways.some(isHeld))
    await add(port)
    await delay(1000)
  }
  await delay(1500)
  await replace('SIGTERM')
  await replace('SIGKILL')
  isOver = true
  await calling
  await until(() => destroyed().length >= 2 * calls.length)
  const said = byEntity(withoutMarked(controller.heard))
  for (const id of calls) {
    const words = said.get(id) ?? []
    expect(words.filter((word) => word === 'START' || word === 'CALLING').length, id).toBe(1)
    expect(words.filter((word) => word === 'DESTROY').length, id).toBe(1)
  }
  await controller.close()
}, 120_000)
