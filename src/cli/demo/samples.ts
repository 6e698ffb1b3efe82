/** Bodies of real messages that the demo sends. */

/** Four events of one broadcast call, as the legacy system published them. */
export const CALL_EVENTS = `\
--- !ruby/object:Channel_states
is_sync: false
evts:
- uuid: 65da6180-877b-4378-a0bc-161f969fe643
  s_id: 599067108406308
  t_id: 0008
  c_type: broadcast
  is_caller: ''
  j_name: broadcast
  t_type: gui
  t_src: client
  r_uuid: ''
  from: '0008'
  to: ''
  des: '*#BROADCAST#_#SPE#_6c851bb_?#*#b_n=6c851bb;d_ds=1004:1003:1002 '
  state: EARLY
  is_loopback: false
- uuid: 65da6180-877b-4378-a0bc-161f969fe643
  s_id: 599067108406308
  t_id: 0008
  c_type: broadcast
  is_caller: ''
  j_name: broadcast
  t_type: gui
  t_src: client
  r_uuid: ''
  from: '0008'
  to: ''
  des: '*#BROADCAST#_#SPE#_6c851bb_?#*#b_n=6c851bb;d_ds=1004:1003:1002 '
  state: RINGING
  is_loopback: false
- uuid: 65da6180-877b-4378-a0bc-161f969fe643
  s_id: 599067108406308
  t_id: 0008
  c_type: broadcast
  is_caller: ''
  j_name: broadcast
  t_type: gui
  t_src: client
  r_uuid: ''
  from: '0008'
  to: ''
  des: '*#BROADCAST#_#SPE#_6c851bb_?#*#b_n=6c851bb;d_ds=1004:1003:1002 '
  state: EARLY
  is_loopback: false
- uuid: 65da6180-877b-4378-a0bc-161f969fe643
  s_id: 599067108406308
  t_id: 0008
  c_type: broadcast
  is_caller: true
  j_name: broadcast
  t_type: gui
  t_src: client
  r_uuid: ''
  from: '0008'
  to: ''
  des: '*#BROADCAST#_#SPE#_6c851bb_?#*#b_n=6c851bb;d_ds=1004:1003:1002 '
  state: ACTIVE
  is_loopback: false
`

/** The last of these events alone: all that the legacy system has up when it is asked. */
export const CALL_PICTURE = lastEvent('true', 'ACTIVE')

/** The end of the same call. */
export const CALL_HANGUP = lastEvent('false', 'HANGUP')

/** The channel of the call above. */
const CALL_UUID = '65da6180-877b-4378-a0bc-161f969fe643'

/** One telephone that came and two that went, one of those with a number. */
export const TERMINALS = `\
---
is_sync: false
online:
- f4908713
online_dialno:
- '1003'
offline:
- '00000018'
- '00000030'
offline_dialno:
- ''
- '0008'
`

/** What a consumer of the legacy side sends to get all calls. */
export const ASK_FOR_CALLS = 'channel.call_state'

/** YAML that would make a careless reader build an object of its sender's choice. */
export const FOREIGN_CLASS = `\
--- !ruby/object:Gem::Installer
i: x
`

function lastEvent(isSync: string, state: string): string {
  const last = CALL_EVENTS.slice(CALL_EVENTS.lastIndexOf('- uuid'))
  return `--- !ruby/object:Channel_states\nis_sync: ${isSync}\nevts:\n${last.replace('ACTIVE', state)}`
}

/** A call that came in to an XSwitch. */
const XCC_CALL = {
  node_uuid: 'edge-1',
  node_ip: '10.0.0.5',
  uuid: 'c-1001',
  direction: 'inbound',
  cid_name: 'Ann',
  cid_number: '1001',
  dest_number: '9000',
} as const

/** An `Event.Channel` of that call. */
export function channelEvent(state: string, more: Readonly<Record<string, unknown>> = {}): string {
  return event('Event.Channel', { ...XCC_CALL, state, ...more })
}

/** A telephone that registered at an XSwitch. */
export const XCC_TERMINAL = event('Event.NativeEvent', {
  node_uuid: 'edge-1',
  event: {
    'Event-Name': 'CUSTOM',
    'Event-Subclass': 'terminal',
    serial: 'a1cc94a6',
    number: '1004',
    state: 'online',
    change: 'state',
  },
})

/** A request of the controller `desk` about the legacy call. */
export function requestOf(method: string): string {
  const params = { ctrl_uuid: 'desk', uuid: CALL_UUID }
  return JSON.stringify({ jsonrpc: '2.0', id: method, method, params })
}

function event(method: string, params: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params })
}
