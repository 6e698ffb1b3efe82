import { ChannelStates, type JsYaml } from './js-yaml.js'

/** XCC's words for the states of the legacy side. */
const STATES: Readonly<Record<string, string>> = {
  EARLY: 'MEDIA',
  RINGING: 'RINGING',
  ACTIVE: 'ANSWERED',
  HELD: 'ANSWERED',
  UNHELD: 'ANSWERED',
  HANGUP: 'DESTROY',
}

interface LegacyEvent {
  readonly uuid: string
  readonly s_id: unknown
  readonly t_id: unknown
  readonly c_type: unknown
  readonly is_caller: unknown
  readonly j_name: unknown
  readonly r_uuid: string
  readonly from: unknown
  readonly des: unknown
  readonly state: string
}

/**
 * The script anybody would write instead of a gateway: load, copy fields, JSON.stringify. One
 * Event.Channel for each event with the fields that a gateway's has, and none of the checks.
 */
export function obviousScript(yaml: JsYaml): (body: Buffer) => Buffer[] {
  return (body) => {
    const message = yaml.load(body.toString())
    if (!(message instanceof ChannelStates)) throw new Error('no Channel_states')
    const events = message.evts as LegacyEvent[] // the script trusts its publisher
    return events.map((event) => {
      const params = {
        uuid: event.uuid,
        node_uuid: 'legacy',
        direction: event.is_caller === true ? 'inbound' : 'outbound',
        state: STATES[event.state],
        cid_number: String(event.from),
        dest_number: String(event.des),
        peer_uuid: event.r_uuid,
        answered: event.state === 'ACTIVE',
        params: {
          s_id: String(event.s_id),
          t_id: String(event.t_id),
          c_type: String(event.c_type),
          j_name: String(event.j_name),
        },
      }
      return Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'Event.Channel', params }))
    })
  }
}
