import { randomUUID } from 'node:crypto'
import type { Fact } from '../../../model/index.js'
import { hasStatus } from '../../../transports/ari-client/index.js'
import { makeHidden, snoop } from '../hidden.js'
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
    return 'code' in sink ? sink : start(node, uuid, sink)
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
const MEDIA = '-media'
const EAR = '-ear'

/** Names follow from the channel's, so that a fork can be ended by whoever stands here then. */
const bridgeOf = (uuid: string) => `${PREFIX}${uuid}`

async function start(node: NodeContext, uuid: string, sink: Sink): Promise<Result> {
  const { ari, app } = node
  const bridge = bridgeOf(uuid)
  const [ear, media] = [bridge + EAR, bridge + MEDIA]
  try {
    try {
      await ari.request('POST', ['bridges', bridge], { body: { type: 'mixing' } })
      await snoop(node, uuid, ear, { spy: 'both', whisper: 'none' })
    } catch (error) {
      if (hasStatus(error, 409)) return bad('the channel is being forked already')
      throw error
    }
    const data = sink.encapsulation === 'audiosocket' ? { data: randomUUID() } : {}
    const body = { channelId: media, app, connection_type: 'client', direction: 'both', ...sink, ...data }
    await makeHidden(node, media, () => ari.request('POST', ['channels', 'externalMedia'], { body }))
    for (const channel of [ear, media])
      await ari.request('POST', ['bridges', bridge, 'addChannel'], { body: { channel } })
    return (await node.calls.find(uuid)) === undefined ? gone() : done()
  } catch (error) {
    await end(ari, bridge)
    return refusal(node, error, uuid)
  }
}

async function stop({ ari }: NodeContext, uuid: string): Promise<Result> {
  return (await end(ari, bridgeOf(uuid))) ? done() : bad('the channel is not being forked')
}

/** Answers whether there was one. */
async function end(ari: NodeContext['ari'], bridge: string): Promise<boolean> {
  const paths = [
    ['channels', bridge + EAR],
    ['channels', bridge + MEDIA],
    ['bridges', bridge],
  ]
  let was = false
  for (const path of paths) {
    try {
      await ari.request('DELETE', path)
      was = true
    } catch (error) {
      if (!hasStatus(error, 404)) throw error
    }
  }
  return was
}

/** Ends the fork of a channel that ended: its ear goes with it, and leaves the bridge. */
export function noteFork({ ari, log }: Pick<NodeContext, 'ari' | 'log'>, fact: Fact): void {
  if (fact.kind !== 'channel' || fact.change !== 'bridge' || fact.flags?.bridged !== false) return
  const { id = '' } = fact.bridge ?? {}
  if (!id.startsWith(PREFIX)) return
  end(ari, id).catch((error: unknown) => log.warn('a fork could not be ended', { bridge: id, err: error }))
}
