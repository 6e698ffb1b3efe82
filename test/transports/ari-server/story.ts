/** Events as an Asterisk would send them, in the form that recordings of one have. */
export type Event = Record<string, unknown> & { readonly type: string }

const TIME = '2026-11-20T17:00:57.589+0000'

export const APP = 'bridge-app'

export function channel(id: string, state = 'Up', more: Record<string, unknown> = {}) {
  return {
    id,
    name: `PJSIP/1001-${id}`,
    state,
    protocol_id: '1667e54fc8250d3d',
    caller: { name: 'Alice', number: '1001' },
    connected: { name: '', number: '600' },
    accountcode: '',
    dialplan: { context: 'from-phones', exten: '600', priority: 2, app_name: 'Stasis', app_data: APP },
    creationtime: '2026-11-20T17:00:57.568+0000',
    language: 'en',
    ...more,
  }
}

export function bridge(id: string, channels: string[] = []) {
  return {
    id,
    technology: 'simple_bridge',
    bridge_type: 'mixing',
    bridge_class: 'stasis',
    creator: 'Stasis',
    name: '',
    channels,
    creationtime: TIME,
    video_mode: 'talker',
  }
}

export const endpoint = (resource: string, state = 'online', technology = 'PJSIP') => ({
  technology,
  resource,
  state,
  channel_ids: [],
})

const made = (type: string, fields: Record<string, unknown>): Event => ({
  type,
  timestamp: TIME,
  ...fields,
  asterisk_id: 'ast1',
  application: APP,
})

export const start = (id: string, state = 'Ring', application = APP): Event => ({
  ...made('StasisStart', { args: ['dialled'], channel: channel(id, state) }),
  application,
})
export const end = (id: string, application = APP): Event => ({
  ...made('StasisEnd', { channel: channel(id) }),
  application,
})
export const created = (id: string) => made('ChannelCreated', { channel: channel(id, 'Down') })
export const stateChange = (id: string, state = 'Up', more = {}) =>
  made('ChannelStateChange', { channel: channel(id, state, more) })
export const destroyed = (id: string, cause = 16) =>
  made('ChannelDestroyed', { cause, cause_txt: 'Normal Clearing', channel: channel(id) })
export const varset = (id: string | undefined, variable: string, value: string) =>
  made('ChannelVarset', { variable, value, ...(id !== undefined && { channel: channel(id) }) })
export const entered = (id: string, bridgeId: string, members: string[] = [id]) =>
  made('ChannelEnteredBridge', { bridge: bridge(bridgeId, members), channel: channel(id) })
export const left = (id: string, bridgeId: string, members: string[] = []) =>
  made('ChannelLeftBridge', { bridge: bridge(bridgeId, members), channel: channel(id) })
export const bridgeCreated = (id: string) => made('BridgeCreated', { bridge: bridge(id) })
export const bridgeDestroyed = (id: string) => made('BridgeDestroyed', { bridge: bridge(id) })
export const deviceState = (name: string, state: string) =>
  made('DeviceStateChanged', { device_state: { name, state } })
export const peerStatus = (resource: string, technology = 'PJSIP') =>
  made('PeerStatusChange', {
    endpoint: endpoint(resource, 'online', technology),
    peer: { peer_status: 'Reachable' },
  })
export const endpointState = (resource: string) =>
  made('EndpointStateChange', { endpoint: endpoint(resource, 'online') })
export const dial = (peer: string, dialstatus: string, caller?: string) =>
  made('Dial', {
    dialstatus,
    forward: '',
    dialstring: '1002',
    peer: channel(peer, 'Ringing'),
    ...(caller !== undefined && { caller: channel(caller) }),
  })
export const playback = (type: string, id: string, target: string) =>
  made(type, { playback: { id, media_uri: 'sound:beep', target_uri: target, language: 'en', state: 'playing' } })
export const recording = (type: string, name: string, target: string) =>
  made(type, { recording: { name, format: 'wav', state: 'recording', target_uri: target } })
export const other = made
