import { randomUUID } from 'node:crypto'
import type { Fact } from '../../../model/index.js'
import { hasStatus } from '../../../transports/ari-client/index.js'
import { inLine, join, keeping, noteForlorn, undisturbed } from '../bridges.js'
import { earId } from '../ears.js'
import { endHidden, makeHidden, snoop } from '../hidden.js'
import { makeBridge } from '../make-bridge.js'
import type { ChannelMethod, NodeContext } from '../method.js'
import { refusal } from '../outcome.js'
import { bad, done, gone, type Result, unsupported } from '../result.js'

/** Where a copy of the sound goes. */
interface Sink {
  readonly external_host: string
  readonly format: string
  readonly encapsulation: 'rtp' | 'audiosocket'
  readonly transport: 'udp' | 'tcp'
}

const FORMATS: ReadonlySet<string> = new Set(['ulaw', 'alaw', 'slin', 'slin16', 'g722', 'opus'])
const RIGHT = 'want rtp://HOST:PORT or audiosocket://HOST:PORT, with ?format=ulaw, alaw, slin, slin16, g722 or opus'

/** MediaFork: a copy of what is heard and said on a channel goes to another host, until stopped or the channel ends. */
export const mediaFork: ChannelMethod = {
  on: 'channel',
  turn: 'at-once',
  async run(node, { uuid, params }) {
    const action = String(params.action ?? '').toLowerCase()
    if (action === 'stop') return stop(node, uuid)
    if (action !== 'start') return bad('action: want start or stop')
    const sink = sinkOf(String(params.url ?? ''))
    return 'code' in sink ? sink : begin(node, uuid, sink)
  },
}

function sinkOf(text: string): Sink | Result {
  const url = URL.parse(text)
  if (url === null) return bad(`url: ${RIGHT}`)
  const { protocol, hostname, port, searchParams, username, password } = url
  if (protocol === 'ws:' || protocol === 'wss:')
    return unsupported(
      'media over a WebSocket to a host that is not in its websocket_client.conf; rtp and audiosocket go',
    )
  const encapsulation =
    protocol === 'audiosocket:' ? 'audiosocket' : protocol === 'rtp:' || protocol === 'udp:' ? 'rtp' : ''
  const format = searchParams.get('format') ?? (encapsulation === 'audiosocket' ? 'slin' : 'ulaw')
  const isHost = /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])$/.test(hostname)
  if (encapsulation === '' || !isHost || !/^[1-9]\d*$/.test(port) || username + password !== '' || !FORMATS.has(format))
    return bad(`url: ${RIGHT}`)
  const transport = encapsulation === 'audiosocket' ? 'tcp' : 'udp'
  return { external_host: `${hostname}:${port}`, format, encapsulation, transport }
}

const PREFIX = 'fork-'

/** Names follow from the channel's, so that a fork can be ended by whoever stands here then. */
const bridgeOf = (uuid: string) => `${PREFIX}${uuid}`
const channelsOf = (bridge: string) => [earId(`${bridge}-ear`), earId(`${bridge}-media`)] as const

async function begin(node: NodeContext, uuid: string, sink: Sink): Promise<Result> {
  const bridge = bridgeOf(uuid)
  const build = () => start(node, uuid, sink)
  const result = await inLine(node, bridge, () => keeping(node, bridge, build, () => end(node, bridge)))
  return result.code === 200 && (await node.calls.find(uuid)) === undefined ? gone() : result
}

async function start(node: NodeContext, uuid: string, sink: Sink): Promise<Result> {
  const { ari, app } = node
  const bridge = bridgeOf(uuid)
  const [ear, media] = channelsOf(bridge)
  try {
    await makeBridge(ari, bridge, { keys: false })
  } catch (error) {
    return hasStatus(error, 409) ? bad('the channel is being forked already') : refusal(node, error, uuid)
  }
  try {
    await snoop(node, uuid, ear, { spy: 'both', whisper: 'none' })
    const data = sink.encapsulation === 'audiosocket' ? { data: randomUUID() } : {}
    const body = { channelId: media, app, connection_type: 'client', direction: 'both', ...sink, ...data }
    await makeHidden(node, media, () => ari.request('POST', ['channels', 'externalMedia'], { body }))
    for (const channel of [ear, media]) await join(node, bridge, channel)
    return done()
  } catch (error) {
    await end(node, bridge).catch((reason: unknown) => logLeft(node, bridge, reason))
    return refusal(node, error, uuid)
  }
}

async function stop(node: NodeContext, uuid: string): Promise<Result> {
  const bridge = bridgeOf(uuid)
  return (await inLine(node, bridge, () => undisturbed(node, bridge, () => end(node, bridge))))
    ? done()
    : bad('the channel is not being forked')
}

function logLeft({ log }: NodeContext, bridge: string, error: unknown): void {
  log.warn('a fork could not be ended', { bridge, err: error })
}

/** Answers whether there was one. */
async function end(node: NodeContext, bridge: string): Promise<boolean> {
  const had = await Promise.all(channelsOf(bridge).map((channel) => endHidden(node, channel)))
  try {
    await node.ari.request('DELETE', ['bridges', bridge])
    return true
  } catch (error) {
    if (!hasStatus(error, 404)) throw error
    return had.includes(true)
  }
}

/** Ends the fork of a channel that ended: its ear goes with it, and leaves the bridge. */
export function noteFork(node: NodeContext, fact: Fact): void {
  noteForlorn(node, fact, PREFIX, (bridge) => end(node, bridge))
}
