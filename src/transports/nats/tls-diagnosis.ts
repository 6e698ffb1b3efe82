import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type TlsConfig, tlsMaterial } from '../tls.js'

/** Milliseconds a diagnosis may take. */
const TIMEOUT_MS = 3000

async function handshake(socket: Socket, tls: TlsConfig, hostname: string, signal: AbortSignal): Promise<void> {
  await once(socket, 'data', { signal }) // the server introduces itself in the clear
  const secure = connectTls({ socket, servername: tls.servername ?? hostname, ...tlsMaterial(tls) })
  try {
    await once(secure, 'secureConnect', { signal })
    secure.write('PING\r\n')
    await once(secure, 'data', { signal }) // whatever it answers, it has accepted our certificate
  } finally {
    secure.destroy()
  }
}

/**
 * Finds out by a handshake of its own whether a server refuses our certificate. With TLS 1.3 that refusal
 * comes after the handshake, where the client library takes it for a lost connection and waits on.
 * Resolves with the TLS error, or with undefined where TLS is not what is wrong.
 */
export async function tlsDiagnosis(server: string, tls: TlsConfig): Promise<unknown> {
  const { hostname, port } = new URL(server)
  const socket = connect(Number(port === '' ? '4222' : port), hostname.replace(/^\[|\]$/g, ''))
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    await once(socket, 'connect', { signal })
    await handshake(socket, tls, hostname, signal)
    return undefined
  } catch (error) {
    return error
  } finally {
    socket.destroy()
  }
}
