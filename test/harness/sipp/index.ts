/** SIP phones and trunks played by SIPp. */
import { phonePassword } from '../asterisk/configuration.js'
import { runSipp, type SippRun } from './run.js'
import { calleeScenario, callerScenario, registerScenario, unregisterScenario } from './scenario.js'
import type { CalleeStep, CallerStep } from './steps.js'

export { runSipp, type SippOptions, type SippRun } from './run.js'
export type { CalleeStep, CallerStep, TalkStep } from './steps.js'

/** The server that phones talk to. */
interface SipServer {
  readonly sipPort: number
}

const TRUNK_NUMBER = '5550100'

/** A call to be placed. */
export interface PlacedCall {
  /** The extension that is dialled. */
  readonly to: string
  /** One of the phones (it gives its password), else a number from outside. Default 5550100 from outside. */
  readonly from?: string
  readonly steps: readonly CallerStep[]
  /** How many such calls, and how many are begun per second. Default 1, 10. */
  readonly calls?: number
  readonly callsPerSecond?: number
}

/** Places a call and goes through its steps. */
export function placeCall(server: SipServer, call: PlacedCall): Promise<SippRun> {
  const { from = TRUNK_NUMBER, to, steps, ...load } = call
  const isPhone = /^100\d$/.test(from)
  return runSipp(callerScenario(from, isPhone, steps), {
    serverPort: server.sipPort,
    to,
    ...load,
    ...(isPhone ? { credentials: { user: from, password: phonePassword(from) } } : {}),
  })
}

/** A phone that waits for calls. */
export interface AwaitedCall {
  readonly steps: readonly CalleeStep[]
  /** Default a free port. */
  readonly port?: number
  /** Default 1. */
  readonly calls?: number
}

/** Takes a call and goes through its steps. Reach it at its port: extension `9PORT`, or as a registered contact. */
export function takeCall(server: SipServer, call: AwaitedCall): Promise<SippRun> {
  const { steps, ...rest } = call
  return runSipp(calleeScenario(steps), { serverPort: server.sipPort, ...rest })
}

/** What a phone registers with. */
export interface Registration {
  /** Where it takes calls. Default a port where nobody listens. */
  readonly contactPort?: number
  /** Seconds. Default 60. */
  readonly expiresSeconds?: number
  /** Default the right one. */
  readonly password?: string
}

/** Registers a phone; resolves when the server accepted. @throws Error with SIPp's messages when it did not. */
export async function registerPhone(server: SipServer, number: string, options: Registration = {}): Promise<void> {
  const { contactPort, expiresSeconds = 60, password = phonePassword(number) } = options
  const contact = contactPort === undefined ? '[local_ip]:[local_port]' : `127.0.0.1:${contactPort}`
  await asPhone(server, number, password, registerScenario(number, contact, expiresSeconds))
}

/** Takes back every registration of a phone. */
export function unregisterPhone(server: SipServer, number: string): Promise<void> {
  return asPhone(server, number, phonePassword(number), unregisterScenario(number))
}

async function asPhone(server: SipServer, user: string, password: string, scenario: string): Promise<void> {
  const run = await runSipp(scenario, { serverPort: server.sipPort, credentials: { user, password } })
  await run.done
}
