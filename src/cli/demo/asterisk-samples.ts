/** Events that a real Asterisk 22 sent, for whoever has none at hand. */

/** An event of an Asterisk. */
export interface AsteriskEvent {
  readonly body: string
  /** How many messages come of it, where that is known. */
  readonly expected?: number
}

const ALICE = { name: 'Alice', number: '1001' }
const BOB = { name: 'Bob', number: '1002' }
const NOBODY = { name: '', number: '' }

const DIALPLAN = { context: 'from-phones', exten: '1002', priority: 1 }
const NEW = { ...DIALPLAN, app_name: '', app_data: '' }
const DIALLING = { ...DIALPLAN, app_name: 'Dial', app_data: 'PJSIP/1002,30' }

const BRIDGE = {
  id: 'be37cacf-4b65-4428-bdc3-af578ee2b1cf',
  technology: 'simple_bridge',
  bridge_type: 'mixing',
  bridge_class: 'basic',
  creator: '',
  name: '',
}

type Json = Readonly<Record<string, unknown>>

/** What one application was told of a call from one telephone to another: the caller's leg, without what is no news. */
export function recordedCall(application: string): readonly AsteriskEvent[] {
  const event = (type: string, timestamp: string, content: Json, expected = 2): AsteriskEvent => ({
    body: JSON.stringify({ type, timestamp, ...content, asterisk_id: '02:00:00:00:00:01', application }),
    expected,
  })
  return [
    event('ChannelCreated', '2026-11-20T16:59:11.680+0000', { channel: channel('Ring', '', NOBODY, NEW) }),
    event('ChannelStateChange', '2026-11-20T16:59:11.783+0000', { channel: answered() }),
    event('ChannelEnteredBridge', '2026-11-20T16:59:11.783+0000', {
      bridge: bridge('ast1-1795193951.371', 'ast1-1795193951.372'),
      channel: answered(),
    }),
    event('ChannelLeftBridge', '2026-11-20T16:59:12.596+0000', {
      bridge: { ...bridge('ast1-1795193951.372'), technology: 'native_rtp' },
      channel: answered(),
    }),
    event(
      'ChannelDestroyed',
      '2026-11-20T16:59:13.601+0000',
      { cause: 16, cause_txt: 'Normal Clearing', channel: channel('Up', 'f627bf55fc6b5eee', BOB, NEW) },
      3,
    ),
  ]
}

/** A telephone that registered. */
export function recordedRegistration(application: string): AsteriskEvent {
  const body = {
    type: 'PeerStatusChange',
    timestamp: '2026-11-20T17:00:11.618+0000',
    endpoint: { technology: 'PJSIP', resource: 'f4908713', state: 'online', channel_ids: [] },
    peer: { peer_status: 'Reachable' },
    asterisk_id: '02:00:00:00:00:01',
    application,
  }
  return { body: JSON.stringify(body), expected: 2 }
}

const answered = () => channel('Up', 'f627bf55fc6b5eee', BOB, DIALLING)

function channel(state: string, protocol_id: string, connected: Json, dialplan: Json): Json {
  return {
    id: 'ast1-1795193951.371',
    name: 'PJSIP/1001-00000058',
    state,
    protocol_id,
    caller: ALICE,
    connected,
    accountcode: '',
    dialplan,
    creationtime: '2026-11-20T16:59:11.680+0000',
    language: 'en',
  }
}

function bridge(...channels: string[]): Json {
  return { ...BRIDGE, channels, creationtime: '2026-11-20T16:59:11.783+0000', video_mode: 'none' }
}
