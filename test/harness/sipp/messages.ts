/**
 * The SIP messages of our phones as SIPp's templates. Names in square brackets are filled in by
 * SIPp; `index` tells transactions of one dialog apart and is the number in CSeq.
 */

const VIA = (index: number) => `Via: SIP/2.0/UDP [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-${index}`
const REMOTE = '[remote_ip]:[remote_port]'
const OWN_TAG = ';tag=[pid]-[call_number]'
const CONTACT = 'Contact: <sip:phone@[local_ip]:[local_port]>'

/** Which way the media of an offer or an answer goes. */
export type Direction = 'sendrecv' | 'sendonly'

/** Who speaks in a dialog: From, To and the address of the other end. */
export interface Dialog {
  readonly from: string
  readonly to: string
  readonly target: string
}

/** The dialog of a call that SIPp places; the other end's tag is there once it answered. */
export function callerDialog(number: string): Dialog {
  return {
    from: `From: <sip:${number}@${REMOTE}>${OWN_TAG}`,
    to: `To: <sip:[service]@${REMOTE}>[peer_tag_param]`,
    target: `sip:[service]@${REMOTE}`,
  }
}

/** The dialog of a call that SIPp takes, from variables that {@link REMEMBER_CALLER} sets. */
export const CALLEE_DIALOG: Dialog = {
  from: `From: [$callee]${OWN_TAG}`,
  to: 'To: [$caller]',
  target: `sip:asterisk@${REMOTE}`,
}

/** What {@link REMEMBER_CALLER} sets. */
export const REMEMBERED = ['callee', 'caller', 'invitation']

/** Keeps the ends of the INVITE that came, for requests of ours. */
export const REMEMBER_CALLER = [
  '<action>',
  '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="callee"/>',
  '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>',
  '<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="invitation"/>',
  '</action>',
].join('')

function message(lines: readonly string[], contentType?: string, content: readonly string[] = []): string {
  if (contentType === undefined) return [...lines, 'Content-Length: 0', '', ''].join('\n')
  return [...lines, `Content-Type: ${contentType}`, 'Content-Length: [len]', '', ...content, ''].join('\n')
}

/** 96 is the payload type of the keys that SIPp sends. */
function sdp(version: number, direction: Direction): string[] {
  return [
    'v=0',
    `o=- 1 ${version} IN IP[local_ip_type] [local_ip]`,
    's=-',
    'c=IN IP[media_ip_type] [media_ip]',
    't=0 0',
    'm=audio [media_port] RTP/AVP 0 96',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:96 telephone-event/8000',
    'a=fmtp:96 0-15',
    'a=ptime:20',
    `a=${direction}`,
  ]
}

function requestLines(method: string, dialog: Dialog, index: number, extra: readonly string[]): string[] {
  return [
    `${method} ${dialog.target} SIP/2.0`,
    VIA(index),
    dialog.from,
    dialog.to,
    'Call-ID: [call_id]',
    `CSeq: ${index} ${method}`,
    'Max-Forwards: 70',
    ...extra,
  ]
}

/** A request without a body; `extra` are further header lines. */
export function request(method: string, dialog: Dialog, index: number, extra: readonly string[] = []): string {
  return message(requestLines(method, dialog, index, extra))
}

export function invite(dialog: Dialog, index: number, direction: Direction, extra: readonly string[] = []): string {
  const lines = requestLines('INVITE', dialog, index, [
    CONTACT,
    'Allow: INVITE, ACK, BYE, CANCEL, INFO, NOTIFY',
    ...extra,
  ])
  return message(lines, 'application/sdp', sdp(index, direction))
}

/** One key by SIP INFO. */
export function infoKey(dialog: Dialog, index: number, key: string): string {
  const lines = requestLines('INFO', dialog, index, [CONTACT])
  return message(lines, 'application/dtmf-relay', [`Signal=${key}`, 'Duration=100'])
}

/** `contact`: where calls are taken, as a header's value; `*` with 0 seconds takes back what is registered. */
export function register(
  number: string,
  index: number,
  contact: string,
  expiresSeconds: number,
  extra: readonly string[],
): string {
  const self = `<sip:${number}@[remote_ip]>`
  const dialog = { from: `From: ${self}${OWN_TAG}`, to: `To: ${self}`, target: 'sip:[remote_ip]' }
  return message(
    requestLines('REGISTER', dialog, index, [`Contact: ${contact}`, `Expires: ${expiresSeconds}`, ...extra]),
  )
}

/** An answer to the last request; with `media` it carries a session description. */
export function response(status: string, tagged: boolean, media?: Direction): string {
  const lines = [
    `SIP/2.0 ${status}`,
    '[last_Via:]',
    '[last_From:]',
    tagged ? `[last_To:]${OWN_TAG}` : '[last_To:]',
    '[last_Call-ID:]',
    '[last_CSeq:]',
    CONTACT,
  ]
  return media === undefined ? message(lines) : message(lines, 'application/sdp', sdp(1, media))
}

/** The answer to an INVITE that the caller took back, after the answer to the CANCEL. */
export function terminated(): string {
  const lines = ['SIP/2.0 487 Request Terminated', '[last_Via:]', '[last_From:]', `[last_To:]${OWN_TAG}`]
  return message([...lines, '[last_Call-ID:]', 'CSeq: [$invitation] INVITE'])
}
