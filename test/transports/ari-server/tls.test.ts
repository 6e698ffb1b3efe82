import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { AriServerAccess } from '../../../src/transports/ari-server/config.js'
import { type Certificates, makeCertificates } from '../../harness/index.js'
import { type Stand, stand, USERS } from './stand.js'
import { APP, start } from './story.js'

let certificates: Certificates
let server: Stand
beforeEach(() => {
  certificates = makeCertificates()
})
afterEach(async () => {
  await server.stop()
  certificates.remove()
})

const ends = () => {
  const pem = (file: string) => String(certificates.read(file))
  const of = ({ certFile, keyFile }: Certificates['server']) => ({ cert: pem(certFile), key: pem(keyFile) })
  return { ca: pem(certificates.caFile), server: of(certificates.server), client: of(certificates.client) }
}
const address = () => `${server.base.replace('https', 'wss')}/ari/events?app=${APP}&api_key=bridge:bridge`

test('events come over TLS', async () => {
  const { ca, server: own } = ends()
  server = await stand({ tls: own })
  const socket = new WebSocket(address(), { ca })
  await once(socket, 'open')
  const [[data]] = await Promise.all([once(socket, 'message') as Promise<[Buffer]>, server.tell(start('c1'))])
  expect(JSON.parse(String(data))).toMatchObject({ type: 'StasisStart' })
})

test('where a client has to have a certificate, none comes without', async () => {
  const { ca, server: own, client } = ends()
  server = await stand({ tls: { ...own, ca } })
  const known = new WebSocket(address(), { ca, ...client })
  await once(known, 'open')
  const unknown = new WebSocket(address(), { ca })
  const [error] = (await once(unknown, 'error')) as [Error]
  expect(error.message).toMatch(/certificate|socket hang up|ECONNRESET/i)
})

test('a renewed certificate and password hold for whoever comes next; who is there stays', async () => {
  const { ca, server: own } = ends()
  const { certFile, keyFile } = certificates.issue('server')
  const next = { cert: String(certificates.read(certFile)), key: String(certificates.read(keyFile)) }
  let access: AriServerAccess = { users: USERS, tls: own }
  server = await stand({ tls: own, access: () => access })
  const open = async (password: string) => {
    const socket = new WebSocket(address().replace('bridge:bridge', `bridge:${password}`), { ca })
    const shown = once(socket, 'upgrade').then(([response]) => (response.socket as TLSSocket).getPeerX509Certificate())
    shown.catch(() => undefined) // it rejects with the other
    await once(socket, 'open')
    return { socket, cert: String((await shown)?.toString()) }
  }
  const first = await open('bridge')
  access = { users: USERS.map((user) => ({ ...user, password: 'another' })), tls: next }
  server.transport.renew?.()
  const second = await open('another')
  expect([first.cert, second.cert]).toEqual([own.cert, next.cert])
  expect(first.socket.readyState).toBe(WebSocket.OPEN)
  await expect(open('bridge')).rejects.toThrow('401')
})

test('a stop does not wait for a client that has not said anything yet', async () => {
  server = await stand({ tls: ends().server, stopGraceMs: 300 })
  const { hostname, port } = new URL(server.base)
  const silent = connect(Number(port), hostname)
  await once(silent, 'connect')
  const late = delay(2000, 'late', { ref: false })
  expect(await Promise.race([server.stop().then(() => 'stopped'), late])).toBe('stopped')
  silent.destroy()
})
