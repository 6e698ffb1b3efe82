import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { freePorts } from '../../../src/cli/private-brokers/loopback.js'
import type { AriConfig, AriListen } from '../../../src/transports/ari-client/config.js'
import { event, type FakeAsterisk } from './fake-asterisk.js'

/** Where a link of a test waits for its Asterisk. */
export async function listenSomewhere(options: Partial<AriListen> = {}): Promise<AriListen> {
  const [port = 0] = await freePorts(1)
  return { host: '127.0.0.1', port, path: '/pbx', username: 'ast1', password: 'sesame', ...options }
}

/** How an Asterisk presents itself; by default as the link expects it. */
export interface Presented {
  readonly path?: string
  readonly authorization?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** A connection that a fake Asterisk opened. */
export interface Call {
  readonly socket: WebSocket
  tell(...events: object[]): void
  /** Resolves with the code of the goodbye that came. */
  readonly closed: Promise<number>
}

export const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

/** Connects as Asterisk does, from where `listen` leads. Rejects with the status of a refusal. */
export async function dial(listen: AriListen, presented: Presented = {}): Promise<Call> {
  const { path = listen.path, headers } = presented
  const authorization =
    'authorization' in presented ? presented.authorization : basic(`${listen.username}:${listen.password}`)
  const socket = new WebSocket(`ws://${listen.host}:${listen.port}${path}`, ['ari'], {
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
  })
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  onTestFinished(() => socket.terminate())
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, response) => reject(new Error(String(response.statusCode))))
  })
  return {
    socket,
    closed,
    tell(...events) {
      for (const each of events) socket.send(JSON.stringify(each))
    },
  }
}

/** Makes a fake send what is posted to the application on the newest of these connections, or keep it, as Asterisk would. */
export function sendMarks(fake: FakeAsterisk, call: () => Call | undefined): void {
  fake.answer = ({ method, path, body }) => {
    if (method !== 'POST' || !path.startsWith('/events/user/')) return undefined
    const { variables } = body as { variables: object }
    const eventname = path.slice('/events/user/'.length)
    call()?.tell(event('ChannelUserevent', { eventname, userevent: { eventname, ...variables } }))
    return { status: 204 }
  }
}

/** Settings of a link that listens. */
export const listening = (listen: AriListen): Partial<AriConfig> => ({ listen, subscribe: { all: false } })
