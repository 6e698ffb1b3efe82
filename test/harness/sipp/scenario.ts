import {
  CALLEE_DIALOG,
  callerDialog,
  type Dialog,
  type Direction,
  infoKey,
  invite,
  REMEMBER_CALLER,
  REMEMBERED,
  register,
  request,
  response,
  terminated,
} from './messages.js'
import type { CalleeStep, CallerStep, TalkStep } from './steps.js'

/** SIPp precedes keys in the media by empty packets; a key takes a tone and as much silence. */
const MEDIA_LEAD_MS = 700
const MEDIA_TONE_MS = 100
const REASONS: Readonly<Record<number, string>> = {
  404: 'Not Found',
  480: 'Temporarily Unavailable',
  486: 'Busy Here',
  503: 'Service Unavailable',
  603: 'Decline',
}

/** Elements of a scenario. */
const send = (message: string) => `<send retrans="500"><![CDATA[\n${message}\n]]></send>`
const sendOnce = (message: string) => `<send><![CDATA[\n${message}\n]]></send>`
const awaitResponse = (status: number, attributes = '') => `<recv response="${status}"${attributes}/>`
const awaitRequest = (method: string, inner = '') => `<recv request="${method}">${inner}</recv>`
const pause = (milliseconds: number) => `<pause milliseconds="${milliseconds}"/>`
const maybe = (...statuses: readonly number[]) => statuses.map((status) => awaitResponse(status, ' optional="true"'))

function scenario(name: string, elements: readonly string[], variables: readonly string[] = []): string {
  const references = variables.length === 0 ? [] : [`<Reference variables="${variables.join(',')}"/>`]
  return [
    '<?xml version="1.0" encoding="ISO-8859-1"?>',
    `<scenario name="${name}">`,
    ...elements,
    ...references,
    '</scenario>',
    '',
  ].join('\n')
}

/** Counts the requests of one end of a dialog. */
interface Talk {
  readonly dialog: Dialog
  nextIndex(): number
}

function reinvite(talk: Talk, direction: Direction): string[] {
  const index = talk.nextIndex()
  return [
    send(invite(talk.dialog, index, direction)),
    ...maybe(100),
    awaitResponse(200),
    sendOnce(request('ACK', talk.dialog, index)),
  ]
}

function pressKeys(talk: Talk, keys: string, by: 'info' | 'media'): string[] {
  if (by === 'info') {
    return [...keys].flatMap((key) => [send(infoKey(talk.dialog, talk.nextIndex(), key)), awaitResponse(200)])
  }
  return [
    `<nop><action><exec play_dtmf="${keys},${MEDIA_TONE_MS}"/></action></nop>`,
    pause(MEDIA_LEAD_MS + 2 * MEDIA_TONE_MS * keys.length),
  ]
}

function hangUp(talk: Talk, cause: number | undefined): string[] {
  const reason = cause === undefined ? [] : [`Reason: Q.850;cause=${cause}`]
  return [send(request('BYE', talk.dialog, talk.nextIndex(), reason)), awaitResponse(200)]
}

const HUNG_UP = [awaitRequest('BYE'), sendOnce(response('200 OK', false))]

function transfer(talk: Talk, number: string): string[] {
  const target = `Refer-To: <sip:${number}@[remote_ip]:[remote_port]>`
  return [
    send(request('REFER', talk.dialog, talk.nextIndex(), [target, 'Contact: <sip:phone@[local_ip]:[local_port]>'])),
    awaitResponse(202),
  ]
}

/** Each key is checked, and said yes to. */
function getKeys(keys: string): string[] {
  return [...keys].flatMap((key) => [
    awaitRequest(
      'INFO',
      `<action><ereg regexp="Signal= *[${key}]" search_in="body" check_it="true" assign_to="key"/></action>`,
    ),
    sendOnce(response('200 OK', false)),
  ])
}

const getsKeys = (step: CallerStep | CalleeStep) => typeof step === 'object' && 'getsKeys' in step

/** A phone whose offers and answers know no keys in the media. */
function withoutEvents(xml: string): string {
  return xml.replaceAll('RTP/AVP 0 96', 'RTP/AVP 0').replaceAll(/a=(rtpmap|fmtp):96 .*\n/g, '')
}

function talkElements(step: TalkStep, talk: Talk): string[] {
  if (step === 'hold') return reinvite(talk, 'sendonly')
  if (step === 'unhold') return reinvite(talk, 'sendrecv')
  if (step === 'hangUp') return hangUp(talk, undefined)
  if (step === 'hungUp') return HUNG_UP
  if ('pauseMs' in step) return [pause(step.pauseMs)]
  if ('keys' in step) return pressKeys(talk, step.keys, step.by ?? 'info')
  if ('getsKeys' in step) return getKeys(step.getsKeys)
  if ('transferTo' in step) return transfer(talk, step.transferTo)
  return hangUp(talk, step.hangUp)
}

function counted(dialog: Dialog, first: number): Talk {
  let index = first
  return { dialog, nextIndex: () => ++index }
}

/**
 * A call from `number`. With `authenticated` the server is expected to ask for the credentials of
 * SIPp's command line.
 */
export function callerScenario(number: string, authenticated: boolean, steps: readonly CallerStep[]): string {
  const dialog = callerDialog(number)
  const unanswered = { ...dialog, to: dialog.to.replace('[peer_tag_param]', '') }
  const talk = counted(dialog, 0)
  const first = talk.nextIndex()
  const challenge = () => [
    ...maybe(100),
    awaitResponse(401, ' auth="true"'),
    sendOnce(request('ACK', dialog, first)),
    send(invite(unanswered, talk.nextIndex(), 'sendrecv', ['[authentication]'])),
  ]
  const start = [send(invite(unanswered, first, 'sendrecv')), ...(authenticated ? challenge() : [])]
  const invitation = authenticated ? first + 1 : first
  const elementsOf = (step: CallerStep): string[] => {
    if (step === 'ringing') return [...maybe(100, 183), awaitResponse(180)]
    if (step === 'progress') return [...maybe(100, 180), awaitResponse(183)]
    if (step === 'answered') {
      return [...maybe(100, 180, 183), awaitResponse(200), sendOnce(request('ACK', dialog, invitation))]
    }
    if (step === 'cancel') {
      return [
        send(request('CANCEL', unanswered, invitation)),
        awaitResponse(200),
        awaitResponse(487),
        sendOnce(request('ACK', dialog, invitation)),
      ]
    }
    if (typeof step === 'object' && 'refused' in step) {
      return [...maybe(100, 180, 183), awaitResponse(step.refused), sendOnce(request('ACK', dialog, invitation))]
    }
    return talkElements(step, talk)
  }
  const elements = [...start, ...steps.flatMap(elementsOf)]
  return steps.some(getsKeys) ? withoutEvents(scenario('caller', elements, ['key'])) : scenario('caller', elements)
}

/** A phone that is called. */
export function calleeScenario(steps: readonly CalleeStep[]): string {
  const talk = counted(CALLEE_DIALOG, 0)
  const elementsOf = (step: CalleeStep): string[] => {
    if (step === 'ring') return [sendOnce(response('180 Ringing', true))]
    if (step === 'progress') return [sendOnce(response('183 Session Progress', true, 'sendrecv'))]
    if (step === 'answer') return [send(response('200 OK', true, 'sendrecv')), awaitRequest('ACK')]
    if (step === 'cancelled') {
      return [awaitRequest('CANCEL'), sendOnce(response('200 OK', true)), send(terminated()), awaitRequest('ACK')]
    }
    if (typeof step === 'object' && 'refuse' in step) {
      const status = `${step.refuse} ${REASONS[step.refuse] ?? 'Refused'}`
      return [send(response(status, true)), awaitRequest('ACK')]
    }
    return talkElements(step, talk)
  }
  const elements = [awaitRequest('INVITE', REMEMBER_CALLER), ...steps.flatMap(elementsOf)]
  return steps.some(getsKeys)
    ? withoutEvents(scenario('callee', elements, [...REMEMBERED, 'key']))
    : scenario('callee', elements, REMEMBERED)
}

/** Registers a phone with credentials, for so many seconds. `contact`: `host:port` where it takes calls. */
export function registerScenario(number: string, contact: string, expiresSeconds: number): string {
  return authenticatedRegister(number, `<sip:${number}@${contact}>`, expiresSeconds)
}

/** Takes back every contact of a phone. */
export function unregisterScenario(number: string): string {
  return authenticatedRegister(number, '*', 0)
}

function authenticatedRegister(number: string, contact: string, expiresSeconds: number): string {
  return scenario('register', [
    send(register(number, 1, contact, expiresSeconds, [])),
    awaitResponse(401, ' auth="true"'),
    send(register(number, 2, contact, expiresSeconds, ['[authentication]'])),
    awaitResponse(200),
  ])
}
