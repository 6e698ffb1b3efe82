import { findNats, findRabbitMq, startPrivateNats, startPrivateRabbitMq } from '../private-brokers/index.js'
import { saidBy, Trouble } from './trouble.js'

/** Where a side of the demo has its broker: given by the environment, started here, or none but our own process. */
export interface Broker {
  readonly how: 'given' | 'started' | 'embedded'
  /** What kind of broker it is or stands for. */
  readonly name: string
  /** With credentials, where the broker wants them. */
  readonly url: string
  /** What to call it, without secrets. */
  readonly label: string
  stop(): Promise<void>
}

/** The brokers of both sides. */
export type Brokers = Readonly<Record<Side, Broker>>

/** Variables that name brokers. */
export const URL_VARIABLES = { amqp: 'PATCHBAY_AMQP_URL', nats: 'PATCHBAY_NATS_URL' } as const

/** How brokers are looked for. */
export interface BrokerOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Look for none. */
  readonly embedded: boolean
  /** Told of what takes time, and of what was found but did not work. */
  readonly note: (line: string) => void
  /** What starts a broker of this machine, where it has one. Default: the programs that are found. */
  readonly starters?: Readonly<Record<Side, () => Starter | undefined>>
}

/** Starts a broker for the demo alone. */
export type Starter = () => Promise<{ readonly url: string; readonly port: number; stop(): Promise<void> }>

const NAMES = { amqp: 'RabbitMQ', nats: 'NATS' } as const
const PROGRAMS = { amqp: 'rabbitmq-server', nats: 'nats-server' } as const
type Side = 'amqp' | 'nats'

const SIDES: readonly Side[] = ['amqp', 'nats']

const PROGRAM_STARTERS: Readonly<Record<Side, () => Starter | undefined>> = {
  amqp() {
    const programs = findRabbitMq()
    return programs && (() => startPrivateRabbitMq(programs))
  },
  nats() {
    const program = findNats()
    return program === undefined ? undefined : () => startPrivateNats(program)
  },
}

/**
 * Finds a broker for each side: its address in the environment, else a program on this machine, else
 * none. What was started is stopped when the process ends, however it ends.
 * @throws Trouble for an address that is none.
 */
export async function findBrokers(options: BrokerOptions): Promise<Brokers> {
  const [amqp, nats] = await Promise.all(SIDES.map((side) => findBroker(side, options)))
  return { amqp: amqp!, nats: nats! }
}

async function findBroker(
  side: Side,
  { env, embedded, note, starters = PROGRAM_STARTERS }: BrokerOptions,
): Promise<Broker> {
  if (embedded) return embeddedBroker(side)
  const given = env[URL_VARIABLES[side]]
  if (given !== undefined && given !== '') return givenBroker(side, given)
  const start = starters[side]()
  if (start === undefined) return embeddedBroker(side)
  note(`starting ${PROGRAMS[side]}, found on this machine …`)
  try {
    const { url, port, stop } = await start()
    return {
      how: 'started',
      name: NAMES[side],
      url,
      stop,
      label: `${NAMES[side]}, started for this demo on port ${port}`,
    }
  } catch (error) {
    note(`${PROGRAMS[side]} does not start, so it is left out: ${saidBy(error).split('\n', 1)[0]}`)
    return embeddedBroker(side)
  }
}

const PROTOCOLS = { amqp: ['amqp:', 'amqps:'], nats: ['nats:', 'tls:'] } as const

function givenBroker(side: Side, given: string): Broker {
  const variable = URL_VARIABLES[side]
  const example = side === 'amqp' ? 'amqp://user:password@host:5672/vhost' : 'nats://host:4222'
  if (!URL.canParse(given)) throw new Trouble(`${variable} is no address; want one such as ${example}`)
  const { protocol, host, username } = new URL(given)
  if (!PROTOCOLS[side].some((known) => known === protocol) || host === '' || (side === 'amqp' && username === ''))
    throw new Trouble(`${variable} is no address of ${NAMES[side]}; want one such as ${example}`)
  return {
    how: 'given',
    name: NAMES[side],
    url: given,
    label: `${NAMES[side]} at ${host} (${variable})`,
    stop: async () => undefined,
  }
}

/** The address is that of nobody; a configuration wants one. */
function embeddedBroker(side: Side): Broker {
  const url = side === 'amqp' ? 'amqp://demo:demo@embedded' : 'nats://embedded'
  return {
    how: 'embedded',
    name: NAMES[side],
    url,
    label: `an in-process stand-in for ${NAMES[side]}`,
    stop: async () => undefined,
  }
}
