import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { guardedFolder } from '../../../src/cli/private-brokers/index.js'
import { freeUdpPort } from '../asterisk/ports.js'

/** A call that hangs is a failed call. */
const LIFE_SECONDS = 60
const BIND_TIMEOUT_MS = 5_000
const LOG_LINES = 60

/** What a SIPp is started with. */
export interface SippOptions {
  /** Where the server takes SIP. */
  readonly serverPort: number
  /** SIPp's own port. Default a free one. */
  readonly port?: number
  /** Number that is called. */
  readonly to?: string
  /** Credentials for servers that ask for some. */
  readonly credentials?: { readonly user: string; readonly password: string }
  /** How many calls; SIPp ends after them. Default 1. */
  readonly calls?: number
  /** Calls begun per second. Default 10. */
  readonly callsPerSecond?: number
}

/** A running SIPp. */
export interface SippRun {
  readonly port: number
  /** Resolves when all calls went as written; rejects with SIPp's messages when one did not. */
  readonly done: Promise<void>
  /** Ends it at once, without a word to the other side. */
  stop(): Promise<void>
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}

async function untilBound(port: number, alive: () => boolean): Promise<void> {
  const deadline = performance.now() + BIND_TIMEOUT_MS
  while (!readFileSync('/proc/net/udp', 'utf8').includes(`:${hexPort(port)} 00000000:0000`)) {
    if (!alive()) return // its end tells more
    if (performance.now() > deadline) throw new Error(`SIPp does not listen on ${port}`)
    await delay(5)
  }
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(-LOG_LINES).join('\n')
  } catch {
    return ''
  }
}

const TRIES = 3

/**
 * Runs a scenario (XML) and comes back when SIPp listens. A port that somebody took meanwhile is tried another time.
 * @throws Error when SIPp is not there or cannot listen.
 */
export async function runSipp(scenario: string, options: SippOptions): Promise<SippRun> {
  for (let tries = 1; ; tries++) {
    try {
      return await startSipp(scenario, options)
    } catch (error) {
      if (tries === TRIES || !String(error).includes('Address already in use')) throw error
    }
  }
}

async function startSipp(scenario: string, options: SippOptions): Promise<SippRun> {
  const folder = guardedFolder('sipp')
  const at = (name: string) => join(folder.path, name)
  writeFileSync(at('scenario.xml'), scenario)
  const port = options.port ?? (await freeUdpPort())
  const { credentials, to, calls = 1, callsPerSecond = 10 } = options
  const args = [
    `127.0.0.1:${options.serverPort}`,
    ...['-sf', at('scenario.xml'), '-i', '127.0.0.1', '-p', String(port)],
    ...['-mi', '127.0.0.1', '-mp', String(await freeUdpPort()), '-cp', String(await freeUdpPort())],
    ...['-m', String(calls), '-r', String(callsPerSecond)],
    ...(to === undefined ? [] : ['-s', to]),
    ...(credentials === undefined ? [] : ['-au', credentials.user, '-ap', credentials.password]),
    '-aa', // says yes to NOTIFY whenever one comes
    ...['-nostdin', '-trace_err', '-error_file', at('errors.log'), '-trace_msg', '-message_file', at('messages.log')],
    ...['-timeout', `${LIFE_SECONDS}s`, '-timeout_error'],
  ]
  const complaints = openSync(at('complaints.log'), 'a')
  const command = ['--pdeathsig', 'KILL', '--', 'sipp', ...args] // ends with this process, however that ends
  const child = spawn('setpriv', command, { cwd: folder.path, stdio: ['ignore', 'ignore', complaints] })
  closeSync(complaints)
  const exited = once(child, 'exit').catch((error: Error) => [error.message]) // `error`: there is no such program
  const running = () => child.exitCode === null && child.signalCode === null && child.pid !== undefined
  let stopped = false
  const done = exited.then(async ([code]) => {
    const report = ['complaints.log', 'errors.log', 'messages.log'].map((name) => tail(at(name))).join('\n')
    await folder.remove()
    if (code !== 0 && !stopped) throw new Error(`SIPp ended with ${code}: ${report}`)
  })
  done.catch(() => undefined) // whoever waits for it is told
  await untilBound(port, running)
  // One that could not begin says why; one that is through already has nothing to say.
  if (!running()) await done
  return {
    port,
    done,
    async stop() {
      stopped = true
      child.kill('SIGKILL')
      await done
    },
  }
}
