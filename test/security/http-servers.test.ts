import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { freePorts } from '../../src/cli/private-brokers/loopback.js'
import { linkLog } from '../../src/gateway/link-log.js'
import { createLog, createMetrics } from '../../src/telemetry/index.js'
import { type Door, openDoor, type Visit } from '../../src/transports/ari-client/listener.js'

let door: Door | undefined
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await door?.close()
})

async function open(port: number, turnedAway: Parameters<typeof openDoor>[1]['turnedAway'] = () => undefined) {
  const visits: Visit[] = []
  const welcome = (visit: Visit) => void visits.push(visit)
  door = await openDoor(
    { host: '127.0.0.1', port, path: '/pbx', username: 'u', password: 'p' },
    { welcome, turnedAway },
  )
  return visits
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  sockets.push(socket)
  await once(socket, 'connect')
  socket.resume() // who does not read does not see the end
  return socket
}

test('a port that Asterisks come to bears so many connections and no more', async () => {
  const [port = 0] = await freePorts(1)
  await open(port)
  const all: Socket[] = []
  // Fewer at a time than wait to be accepted: of more the kernel drops some, and their owners do not notice.
  while (all.length < 1040) all.push(...(await Promise.all(Array.from({ length: 40 }, () => dial(port)))))
  await expect.poll(() => all.filter((socket) => socket.closed).length).toBe(16)
})

const asking = (path: string, more: string) =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n${more}\r\n`
const basic = (text: string) => `authorization: Basic ${Buffer.from(text).toString('base64')}\r\n`

test('whoever guesses passwords makes one line in the log, however often, and is let in by none', async () => {
  const [port = 0] = await freePorts(1)
  const lines: string[] = []
  const log = createLog({ level: 'info', format: 'json' }, { write: (line) => lines.push(line) })
  const metrics = createMetrics({ links: ['pbx'], routes: [], version: '0', process: false })
  const report = linkLog('pbx', metrics.link('pbx'), log)
  let turnedAway = 0
  const visits = await open(port, (error) => {
    turnedAway++
    report({ kind: 'fault', error })
  })
  const tries = [
    ...Array.from({ length: 200 }, (_, at) => asking('/pbx', basic(`u:${at}`))),
    asking('/pbx', ''),
    asking('/pbx', basic('u')),
    asking('/pbx', basic(':')),
    asking('/pbx', 'authorization: Basic ====\r\n'),
    asking('/pbx', 'authorization: Bearer u:p\r\n'),
    asking('/pbx?api_key=u:p', ''),
  ]
  for (const request of tries) {
    const socket = await dial(port)
    socket.write(request)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /)
  }
  expect([turnedAway, visits]).toEqual([tries.length, []])
  expect(lines).toHaveLength(1)
  const elsewhere = [
    asking('/other', basic('u:p')),
    asking('/pbx/../pbx', basic('u:p')),
    asking('/%70bx', basic('u:p')),
  ]
  for (const request of elsewhere) {
    const socket = await dial(port)
    socket.write(request)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 404 /)
  }
})
