import { entersApp, when } from '../facts.js'
import type { ChannelMethod, ChannelRequest, NodeContext, Params } from '../method.js'
import { refusal, resultOf } from '../outcome.js'
import { bad, done, type Result, unsupported } from '../result.js'
import { whenTold } from '../told.js'
import { LONGEST_MS } from './conference.js'

/** What may stand for `{name}` in an extension. */
const NAME = /^[\w.+*#-]{1,64}$/

/** FIFO: the channel is in a queue of the dialplan until it comes back or ends. */
export const fifo: ChannelMethod = {
  on: 'channel',
  turn: 'to-the-end',
  deadlineMs: LONGEST_MS + 60_000,
  run: (node, request) => queue(node, request, 'fifo', ['inout', 'wait_music', 'exit_announce', 'priority']),
}

/** Callcenter: likewise. */
export const callcenter: ChannelMethod = {
  on: 'channel',
  turn: 'to-the-end',
  deadlineMs: LONGEST_MS + 60_000,
  run: (node, request) => queue(node, request, 'callcenter', []),
}

function queue(node: NodeContext, request: ChannelRequest, hook: string, told: readonly string[]): Promise<Result> {
  const { params } = request
  const { name } = params
  if (typeof name !== 'string' || !NAME.test(name))
    return Promise.resolve(bad('name: want up to 64 letters, digits or any of _ . + * # -'))
  const variables = Object.fromEntries(told.flatMap((key) => (params[key] === undefined ? [] : [[key, params[key]]])))
  return visit(node, request, { hook, name, variables })
}

/** NativeApp: `break` ends what runs; every other application is a place in the dialplan, declared by its name. */
export const nativeApp: ChannelMethod = {
  on: 'channel',
  turn: ({ cmd, sync }: Params) => (cmd === 'break' || sync === true ? 'at-once' : 'to-the-end'),
  deadlineMs: LONGEST_MS + 60_000,
  async run(node, request) {
    const { cmd, args = '' } = request.params
    if (typeof cmd !== 'string' || !NAME.test(cmd)) return bad('cmd: want the name of an application')
    if (cmd === 'break') {
      node.stop(request.uuid)
      return done()
    }
    return visit(node, request, { hook: 'app', name: cmd, variables: { args } })
  },
}

interface Visit {
  readonly hook: string
  readonly name: string
  /** Told to the dialplan as PATCHBAY_NAME. */
  readonly variables: Readonly<Record<string, unknown>>
}

/** Sends a channel to the dialplan, and waits until it enters the application again. */
async function visit(
  node: NodeContext,
  { uuid, stopped }: ChannelRequest,
  { hook, name, variables }: Visit,
): Promise<Result> {
  const { ari, tables } = node
  const place = tables.placeOf(hook, name)
  if (place === undefined)
    return unsupported(`${hook} ${name} without a place in the dialplan: none is declared under hooks.${hook}`)
  const send = async () => {
    for (const [key, value] of Object.entries({ name, ...variables })) {
      const body = { variable: `PATCHBAY_${key.toUpperCase()}`, value: String(value) }
      await ari.request('POST', ['channels', uuid, 'variable'], { body })
    }
    const { context, extension, priority } = place
    await ari.request('POST', ['channels', uuid, 'continue'], { body: { context, extension, priority } })
  }
  try {
    const outcome = await whenTold(node, uuid, when(entersApp), { signal: stopped, timeoutMs: LONGEST_MS }, send)
    return outcome.kind === 'told' ? done() : await resultOf(node, uuid, outcome, hook)
  } catch (error) {
    return refusal(node, error, uuid)
  }
}
