import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PassThrough } from './pass-through.js'

/** How messages come and go. */
export interface Variant {
  readonly queueType: 'classic' | 'quorum'
  readonly deliver: 'core' | 'jetstream'
}

/** Where a process under test finds its brokers. */
export interface Place extends Variant {
  readonly amqpUrl: string
  readonly natsUrl: string
  readonly queue: string
  /** Free port for the gateway's admin server. */
  readonly adminPort: number
}

/** A process under test. */
export interface Subject {
  /** Ends it orderly and resolves when it is gone. @throws Error when it had failed before. */
  stop(): Promise<void>
}

/** Subject on which calls are announced, by the gateway and by the script. */
export const ANNOUNCED_ON = 'cn.xswitch.ctrl'

const PASS_THROUGH = '.cache/bench/bench/gateway/pass-through.js'

function asSubject(child: ChildProcess, afterwards: () => void): Subject {
  const gone = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(code === 0 ? '' : `exit code ${code ?? signal}`))
  })
  return {
    async stop() {
      child.kill('SIGTERM')
      const failure = await gone
      afterwards()
      if (failure !== '') throw new Error(`the process under test failed: ${failure}`)
    },
  }
}

/** JSON is YAML. */
function gatewayConfig({ amqpUrl, natsUrl, queue, queueType, deliver, adminPort }: Place): string {
  return JSON.stringify({
    group: 'bench',
    admin: { port: adminPort },
    log: { level: 'warn' },
    state: 'memory',
    links: {
      legacy: {
        type: 'amqp',
        dialect: 'voice-events',
        url: amqpUrl,
        prefetch: 256,
        queue: { name: queue, type: queueType },
        deadLetter: { queue: `${queue}-dead` },
      },
      control: { type: 'nats', dialect: 'xcc', servers: [natsUrl], deliver, node: { register: false } },
    },
    routes: [{ from: 'legacy', to: 'control', sync: { ask: false, answer: false } }],
  })
}

/** Starts the whole gateway. `nodeFlags` are for its Node. */
export function startGateway(place: Place, nodeFlags: readonly string[] = []): Subject {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
  const file = join(folder, 'patchbay.yaml')
  writeFileSync(file, gatewayConfig(place))
  const child = spawn(process.execPath, [...binFlags(), ...nodeFlags, 'dist/main.js', 'run', '-c', file], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return asSubject(child, () => rmSync(folder, { recursive: true, force: true }))
}

/** Whether a gateway's links all work: its queue is declared and bound. */
export async function isReady({ adminPort }: Place): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok
  } catch {
    return false // it does not listen yet
  }
}

/** Starts the pass-through script, which publishes messages like those for each one it takes. */
export function startPassThrough(
  place: Place,
  published: Pick<PassThrough, 'perMessage' | 'bytes'>,
  style: PassThrough['style'],
): Subject {
  const { amqpUrl, natsUrl, queue, deliver } = place
  const options: PassThrough = { amqpUrl, natsUrl, queue, deliver, subject: ANNOUNCED_ON, style, ...published }
  const child = spawn(process.execPath, [PASS_THROUGH, JSON.stringify(options)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return asSubject(child, () => undefined)
}

/** The flags that the first line of the program asks of Node, as when it is started by its name. */
function binFlags(): string[] {
  const [first] = readFileSync('dist/main.js', 'utf8').split('\n', 1)
  return /^#!\/usr\/bin\/env -S node (.+)$/.exec(first ?? '')?.[1]?.split(' ') ?? []
}
