import { setTimeout as delay } from 'node:timers/promises'
import { type FaultProxy, freshVhost, startFaultProxy, startNats } from '../../harness/index.js'
import { legacyToBus } from './legacy-to-bus.js'
import type { Outcome, Report, Scenario } from './scenario.js'

/** Something that a network does for a while. */
interface LinkFault {
  readonly name: string
  readonly shortMs: number
  readonly longMs: number
  begin(proxy: FaultProxy): void
  end(proxy: FaultProxy): void
}

const SLOW_BYTES_PER_SECOND = 50_000

const FAULTS: readonly LinkFault[] = [
  {
    name: 'cut',
    shortMs: 2000,
    longMs: 20_000,
    begin(proxy) {
      proxy.faults.refusing = true
      proxy.cut()
    },
    end(proxy) {
      proxy.faults.refusing = false
    },
  },
  {
    name: 'stalled',
    shortMs: 4000,
    longMs: 20_000,
    begin(proxy) {
      proxy.faults.stalled = true
    },
    end(proxy) {
      proxy.faults.stalled = false
    },
  },
  {
    name: 'slow',
    shortMs: 4000,
    longMs: 20_000,
    begin(proxy) {
      proxy.faults.bytesPerSecond = SLOW_BYTES_PER_SECOND
    },
    end(proxy) {
      proxy.faults.bytesPerSecond = 0
    },
  },
]

type Link = 'rabbitmq' | 'nats'

const portOf = (url: string) => Number(new URL(url).port)

async function runLink(report: Report, link: Link, fault: LinkFault): Promise<Outcome> {
  const rabbitMq = await report.sharedRabbitMq()
  const [amqpUrl, nats] = await Promise.all([freshVhost(rabbitMq.url, rabbitMq.control), startNats()])
  const proxy = await startFaultProxy(link === 'nats' ? nats.port : portOf(amqpUrl))
  const forMs = report.isShort ? fault.shortMs : fault.longMs
  const way = {
    publishAt: [amqpUrl],
    amqp: [link === 'rabbitmq' ? proxy.through(amqpUrl) : amqpUrl],
    nats: [link === 'nats' ? proxy.through(nats.url) : nats.url],
    countAt: [nats.url],
    deliver: 'core',
  } as const
  try {
    return await legacyToBus(report, way, async () => {
      const before = { there: proxy.carried('toTarget'), back: proxy.carried('toClient') }
      fault.begin(proxy)
      report.say(`the link is ${fault.name} for ${forMs / 1000} s`)
      await delay(forMs)
      const there = proxy.carried('toTarget') - before.there
      const back = proxy.carried('toClient') - before.back
      fault.end(proxy)
      return [`${fault.name} for ${forMs / 1000} s; meanwhile ${there} bytes to the broker, ${back} from it`]
    })
  } finally {
    await Promise.all([proxy.close(), nats.stop()])
  }
}

/** Each link cut, stalled without a reset, and slowed to 50 KB/s. */
export const LINK_SCENARIOS: readonly Scenario[] = (['rabbitmq', 'nats'] as const).flatMap((link) =>
  FAULTS.map((fault) => ({
    name: `${link}-link-${fault.name}`,
    isShort: true,
    run: (report: Report) => runLink(report, link, fault),
  })),
)
