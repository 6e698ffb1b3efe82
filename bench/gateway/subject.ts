import { spawn } from 'node:child_process'
import { asSubject, type Subject, startPatchbay } from '../subject.js'
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

/** Subject on which calls are announced, by the gateway and by the script. */
export const ANNOUNCED_ON = 'cn.xswitch.ctrl'

const PASS_THROUGH = '.cache/bench/bench/gateway/pass-through.js'

function gatewayConfig({ amqpUrl, natsUrl, queue, queueType, deliver, adminPort }: Place): object {
  return {
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
  }
}

/** Starts the whole gateway. `nodeFlags` are for its Node. */
export function startGateway(place: Place, nodeFlags: readonly string[] = []): Subject {
  return startPatchbay(gatewayConfig(place), nodeFlags)
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
