import { expect, onTestFinished, test } from 'vitest'
import { type NatsConfig, natsTransport } from '../../src/transports/nats/index.js'
import { type FaultProxy, makeNatsAccounts, startFaultProxy, startNats } from '../harness/index.js'
import { recorder } from './recorder.js'

const frame = { address: { subject: 'a' }, headers: {}, body: Buffer.from('x') }

async function open(extraConfig: string, config: (url: string) => NatsConfig | Promise<NatsConfig>) {
  const server = await startNats({ jetstream: false, extraConfig })
  const got = recorder()
  const transport = natsTransport({ reconnectWaitMs: 100, ...(await config(server.url)) })
  onTestFinished(async () => {
    await transport.stop()
    await server.stop()
  })
  await transport.start(got)
  await transport.send(frame)
  return { transport, got }
}

test('a token is asked for anew at each connection, and a refusal of it is told although the client library keeps it to itself', async () => {
  let token = 'r1ght'
  const access = () => ({ credentials: { token } })
  let proxy: FaultProxy | undefined
  const { transport, got } = await open('authorization { token: "r1ght" }', async (url) => {
    proxy = await startFaultProxy(Number(new URL(url).port))
    return { servers: [proxy.through(url)], ...access(), access }
  })
  onTestFinished(() => proxy?.close())
  token = 'wr0ng'
  proxy?.cut()
  await got.until('fault', 1)
  expect(got.of('fault')[0]?.error.message).toMatch(/the server refuses our credentials/)
  token = 'r1ght'
  await got.until('up', 2)
  await transport.send(frame)
  expect(JSON.stringify(got.events)).not.toMatch(/r1ght|wr0ng/)
})

test('credentials by JWT are taken anew when those before have ended, and nothing that is sent meanwhile is lost', async () => {
  const accounts = makeNatsAccounts()
  let creds = accounts.creds(Date.now() + 2000)
  const access = () => ({ credentials: { creds } })
  const { transport, got } = await open(accounts.config, (url) => ({
    servers: [url],
    ...access(),
    access,
    subscriptions: [{ subject: 'b' }],
  }))
  creds = accounts.creds(Date.now() + 3_600_000)
  await got.until('down', 1)
  await transport.send(frame)
  await got.until('up', 2)
  await transport.send({ ...frame, address: { subject: 'b' } })
  await got.received(1)
  expect(got.of('fault')).toEqual([])
})

test('credentials by JWT that have ended are refused in one clear line', async () => {
  const accounts = makeNatsAccounts()
  const server = await startNats({ jetstream: false, extraConfig: accounts.config })
  const transport = natsTransport({
    servers: [server.url],
    credentials: { creds: accounts.creds(Date.now() - 60_000) },
  })
  onTestFinished(async () => {
    await transport.stop()
    await server.stop()
  })
  await expect(transport.start(recorder())).rejects.toMatchObject({
    code: 'link.connect',
    fate: 'reject',
    message: expect.stringMatching(
      /the server refuses our credentials; correct user and password, token, nkey or creds/,
    ),
  })
})
