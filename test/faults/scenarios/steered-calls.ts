import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@nats-io/transport-node'
import type { TestAsterisk } from '../../harness/index.js'

/** What became of calls that a controller steered. */
export interface CallCount {
  /** The legs that are to enter the application, by their ids. */
  readonly placed: readonly string[]
  /** Those of which the beginning was told, and the end. */
  readonly started: ReadonlySet<string>
  readonly ended: ReadonlySet<string>
  /** Beginnings and ends that were told more than once, copies of the same name left aside. */
  readonly repeated: readonly string[]
  /** Commands that did not come to the end they should, as `UUID METHOD: what`. */
  readonly failed: readonly string[]
  /** Gaps that were told. Milliseconds. */
  readonly gaps: readonly number[]
}

/** Calls that enter the application all the time, each answered and hung up by a controller. */
export interface SteeredCalls {
  count(): CallCount
  /** Places no more, and waits until those that are up have ended. */
  stop(): Promise<void>
}

const TALK_MS = 3000
const ASK_TIMEOUT_MS = 8000
/** So long a controller tries to have a command carried out. */
const ASK_PATIENCE_MS = 60_000
/** By then a call has entered, or was refused. Milliseconds. */
const ENTRY_MS = 6000
const END_PATIENCE_MS = 45_000
const GAP_SUBJECT = 'cn.xswitch.event.custom.gap'

interface Rpc {
  readonly method?: string
  readonly params?: {
    readonly uuid?: string
    readonly state?: string
    readonly event?: { readonly from_ms?: string; readonly until_ms?: string }
  }
}

/** What was told under several names. */
function twice(told: ReadonlyMap<string, ReadonlySet<string>>, state: string): string[] {
  return [...told]
    .filter(([, ids]) => ids.size > 1)
    .map(([uuid, ids]) => `${uuid} ${state} as ${[...ids].join(' and ')}`)
}

/** @param everyMs time between two calls */
export async function steerCalls(
  servers: readonly string[],
  asterisk: TestAsterisk,
  everyMs: number,
): Promise<SteeredCalls> {
  const nc = await connect({ servers: [...servers], maxReconnectAttempts: -1, reconnectTimeWait: 100 })
  const session = Date.now().toString(36)
  const started = new Map<string, Set<string>>()
  const ended = new Map<string, Set<string>>()
  const gaps = new Map<string, number>()
  const failed: string[] = []
  const placed: string[] = []
  let isOver = false

  /** What says that nobody knows what became of it is asked again, as a careful controller does. */
  async function ask(uuid: string, method: string): Promise<void> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: '1', method, params: { ctrl_uuid: 'load', uuid } })
    const deadline = performance.now() + ASK_PATIENCE_MS
    let last = ''
    for (let tries = 0; performance.now() < deadline; tries++) {
      try {
        const reply = await nc.request('cn.xswitch.node.ast1', body, { timeout: ASK_TIMEOUT_MS })
        const { result } = reply.json<{ result?: { code: number; message: string } }>()
        if (result?.code === 200) return
        last = `${result?.code} ${result?.message}`
        // A try before it may have done it.
        if (tries > 0 && ended.has(uuid)) return
      } catch (error) {
        last = String(error)
      }
      await delay(200)
    }
    failed.push(`${uuid} ${method}: ${last}`)
  }

  async function steer(uuid: string): Promise<void> {
    await ask(uuid, 'XNode.Answer')
    await delay(TALK_MS)
    await ask(uuid, 'XNode.Hangup')
  }

  function hear({ params = {} }: Rpc, id: string): void {
    const { uuid = '', state } = params
    const names = state === 'START' ? started : state === 'DESTROY' ? ended : undefined
    if (names === undefined || !uuid.startsWith(session)) return
    const ids = names.get(uuid)
    if (ids !== undefined) ids.add(id)
    else {
      names.set(uuid, new Set([id]))
      if (state === 'START') void steer(uuid)
    }
  }

  function hearGap({ params = {} }: Rpc, id: string): void {
    const { from_ms: from, until_ms: until } = params.event ?? {}
    gaps.set(id, Number(until) - Number(from))
  }

  for (const subject of ['cn.xswitch.ctrl', 'cn.xswitch.ctrl.load', GAP_SUBJECT])
    nc.subscribe(subject, {
      callback: (_error, message) => {
        const id = message.headers?.get('patchbay-id') ?? ''
        if (message.subject === GAP_SUBJECT) hearGap(message.json<Rpc>(), id)
        else hear(message.json<Rpc>(), id)
      },
    })
  await nc.flush()

  const placing = (async () => {
    while (!isOver) {
      const id = `${session}-${placed.length + 1}`
      placed.push(`${id}-called`)
      // Asterisk takes an id for one that is there already if that only begins with it.
      const { status } = await asterisk.ari('POST', '/channels', {
        endpoint: `Local/${placed.length}0@patchbay-load`,
        extension: 'answer',
        context: 'services',
        channelId: `${id}-caller`,
        otherChannelId: `${id}-called`,
      })
      if (status !== 200) failed.push(`${id}: could not be placed, ${status}`)
      await delay(everyMs)
    }
  })()

  return {
    count: () => ({
      placed,
      started: new Set(started.keys()),
      ended: new Set(ended.keys()),
      repeated: [...twice(started, 'START'), ...twice(ended, 'DESTROY')],
      failed,
      gaps: [...gaps.values()],
    }),
    async stop() {
      isOver = true
      await placing
      await delay(ENTRY_MS)
      const deadline = performance.now() + END_PATIENCE_MS
      while (ended.size < started.size && performance.now() < deadline) await delay(100)
      await nc.close()
    },
  }
}
