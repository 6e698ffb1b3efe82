import { connect } from '@nats-io/transport-node'
import { Pool } from 'undici'
import { WebSocket } from 'ws'
import type { TestAsterisk } from '../../test/harness/index.js'

/** Whoever steers the calls of an application; each promise resolves when what was asked for is said to be done. */
export interface Steerer {
  /** Extension whose calls come here. */
  readonly extension: string
  /** Called with each new call. */
  onCall: (id: string) => void
  answer(id: string): Promise<void>
  setVar(id: string): Promise<void>
  hangUp(id: string): Promise<void>
  close(): Promise<void>
}

const CONNECTIONS = 16

/** A plain ARI application: one socket for events, a request for each command, and nothing between. */
export async function bareAri({ url, user, password }: TestAsterisk): Promise<Steerer> {
  const app = 'bare'
  const pool = new Pool(url, { connections: CONNECTIONS, keepAliveTimeout: 10_000 })
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const headers = { authorization, 'content-type': 'application/json' }
  const ask = async (method: 'POST' | 'DELETE', path: string, body?: object) => {
    const reply = await pool.request({ method, path: `/ari/${path}`, headers, body: JSON.stringify(body ?? {}) })
    await reply.body.text()
    if (reply.statusCode >= 300) throw new Error(`${method} ${path}: ${reply.statusCode}`)
  }
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ari/events?app=${app}`, { headers: { authorization } })
  const self: Steerer = {
    extension: `app-${app}`,
    onCall: () => undefined,
    answer: (id) => ask('POST', `channels/${id}/answer`),
    setVar: (id) => ask('POST', `channels/${id}/variable`, { variable: 'colour', value: 'red' }),
    hangUp: (id) => ask('DELETE', `channels/${id}`),
    async close() {
      socket.terminate()
      await pool.destroy()
    },
  }
  socket.on('message', (data: Buffer) => {
    const event = JSON.parse(data.toString()) as { type: string; channel?: { id: string } }
    if (event.type === 'StasisStart') self.onCall(event.channel!.id)
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  return self
}

/** A controller on NATS, as those of XSwitch are: a request for each command, answered when it is done. */
export async function controllerOf(natsUrl: string, node: string): Promise<Steerer> {
  const name = 'bench'
  const nats = await connect({ servers: natsUrl })
  let last = 0
  const ask = async (method: string, uuid: string, more: object = {}) => {
    const params = { ctrl_uuid: name, uuid, ...more }
    const body = JSON.stringify({ jsonrpc: '2.0', id: String(++last), method: `XNode.${method}`, params })
    const reply = await nats.request(`cn.xswitch.node.${node}`, body, { timeout: 20_000 })
    const { result } = reply.json<{ result?: { code: number; message: string } }>()
    if (result?.code !== 200) throw new Error(`${method}: ${result?.code} ${result?.message}`)
  }
  const self: Steerer = {
    extension: '600',
    onCall: () => undefined,
    answer: (id) => ask('Answer', id),
    setVar: (id) => ask('SetVar', id, { data: { colour: 'red' } }),
    hangUp: (id) => ask('Hangup', id),
    close: () => nats.close(),
  }
  nats.subscribe('cn.xswitch.ctrl', {
    callback(_error, message) {
      const { params } = message.json<{ params?: { state?: string; uuid: string } }>()
      if (params?.state === 'START') self.onCall(params.uuid)
    },
  })
  await nats.flush()
  return self
}
