import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { TestAsterisk } from './contract.js'

const WAIT_MS = 10_000

/** An event as Asterisk sent it. */
export interface AriEvent {
  readonly type: string
  readonly [member: string]: unknown
}

/** A plain client of the events socket that writes down what it hears. */
export interface AriListener {
  /** All so far, in order. */
  readonly events: readonly AriEvent[]
  /** The first event of a type, of the past ones too, that `matches`. @throws Error after 10 s. */
  until(type: string, matches?: (event: AriEvent) => boolean): Promise<AriEvent>
  close(): Promise<void>
}

/** Connects an application, the one that extension 600 enters unless told otherwise. */
export async function listenToAri(
  asterisk: Pick<TestAsterisk, 'url' | 'user' | 'password' | 'app'>,
  options: { readonly app?: string; readonly subscribeAll?: boolean } = {},
): Promise<AriListener> {
  const { app = asterisk.app, subscribeAll = false } = options
  const query = new URLSearchParams({ app, api_key: `${asterisk.user}:${asterisk.password}` })
  if (subscribeAll) query.set('subscribeAll', 'true')
  const socket = new WebSocket(`${asterisk.url.replace('http', 'ws')}/ari/events?${query}`)
  const events: AriEvent[] = []
  const waiting = new Set<() => void>()
  socket.on('message', (data) => {
    events.push(JSON.parse(String(data)) as AriEvent) // every frame of Asterisk has a type
    for (const look of waiting) look()
  })
  await once(socket, 'open')
  socket.on('error', () => undefined) // whoever waits for an event is told that it did not come
  return {
    events,
    until: (type, matches = () => true) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = events.find((event) => event.type === type && matches(event))
          if (found !== undefined) end(() => resolve(found))
        }
        const heard = () => events.map((event) => event.type).join(', ')
        const late = setTimeout(() => end(() => reject(new Error(`no such ${type} came, but ${heard()}`))), WAIT_MS)
        const end = (settle: () => void) => {
          clearTimeout(late)
          waiting.delete(look)
          settle()
        }
        waiting.add(look)
        look()
      }),
    async close() {
      if (socket.readyState === WebSocket.CLOSED) return
      socket.close()
      await once(socket, 'close')
    },
  }
}
