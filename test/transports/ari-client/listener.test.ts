import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import type { AriListen } from '../../../src/transports/ari-client/config.js'
import { openDoor } from '../../../src/transports/ari-client/listener.js'
import { makeCertificates } from '../../harness/index.js'
import { listenSomewhere } from './calling.js'

test('an Asterisk that comes after a renewal is shown the new certificate, and has to have the new password and a certificate', async () => {
  const certificates = makeCertificates()
  onTestFinished(certificates.remove)
  const pem = (file: string) => String(certificates.read(file))
  const pair = ({ certFile, keyFile } = certificates.issue('server')) => ({ cert: pem(certFile), key: pem(keyFile) })
  const ca = pem(certificates.caFile)
  const before: AriListen = await listenSomewhere({ tls: { ca, ...pair() } })
  const turnedAway: string[] = []
  const door = await openDoor(before, {
    welcome: (visit) => visit.accept(() => undefined),
    turnedAway: ({ message }) => void turnedAway.push(message),
  })
  onTestFinished(() => door.close())
  const comes = async (password: string, own: object = pair(certificates.client)) => {
    const headers = { authorization: `Basic ${Buffer.from(`${before.username}:${password}`).toString('base64')}` }
    const socket = new WebSocket(`wss://127.0.0.1:${before.port}${before.path}`, 'ari', { ca, headers, ...own })
    onTestFinished(() => socket.terminate())
    const shown = once(socket, 'upgrade').then(([response]) => (response.socket as TLSSocket).getPeerX509Certificate())
    shown.catch(() => undefined)
    await once(socket, 'open')
    return { socket, cert: (await shown)?.toString() }
  }
  const first = await comes(before.password)
  expect(first.cert).toBe(before.tls?.cert)
  const after: AriListen = { ...before, password: 'another', tls: { ca, ...pair() } }
  door.renew(after)
  expect((await comes('another')).cert).toBe(after.tls?.cert)
  expect(first.socket.readyState).toBe(WebSocket.OPEN)
  await expect(comes(before.password)).rejects.toThrow('401')
  expect(turnedAway).toHaveLength(1)
  await expect(comes('another', {})).rejects.toThrow(/certificate required|ECONNRESET|hang up/)
})
