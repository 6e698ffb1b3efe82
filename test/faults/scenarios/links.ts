import { setTimeout as delay } from 'node:timers/promises'
import { type FaultProxy, freshVhost, startFaultProxy, startNats } from '../../harness/index.js'
import { asteriskWithEntry, underFullLoad } from './full-load.js'
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

type Link = 'rabbitmq' | 'nats' | 'asterisk'

const portOf = (url: string) => Number(new URL(url).port)

/** In which a silent Asterisk is noticed, a silent NATS server, and what coming back may take. Milliseconds. */
const NOTICED_MS = 5000
const NATS_NOTICED_MS = 3000
const BACK_MS = 3000

async function runLink(report: Report, link: Link, fault: LinkFault): Promise<Outcome> {
  const rabbitMq = await report.sharedRabbitMq()
  const [amqpUrl, nats, asterisk] = await Promise.all([
    freshVhost(rabbitMq.url, rabbitMq.control),
    startNats(),
    asteriskWithEntry(),
  ])
  const proxy = await startFaultProxy({ rabbitmq: portOf(amqpUrl), nats: nats.port, asterisk: asterisk.httpPort }[link])
  const through = (name: Link, url: string) => (link === name ? proxy.through(url) : url)
  const forMs = report.isShort ? fault.shortMs : fault.longMs
  const site = {
    publishAt: [amqpUrl],
    amqp: [through('rabbitmq', amqpUrl)],
    nats: [through('nats', nats.url)],
    countAt: [nats.url],
    asterisk,
    ari: through('asterisk', asterisk.url),
  }
  // While nobody has the events of an Asterisk its calls wait no longer than five seconds.
  const terms = {
    refusals: link !== 'rabbitmq',
    gapsMs: forMs + NOTICED_MS + BACK_MS,
    observedGapsMs: link === 'nats' ? forMs + NATS_NOTICED_MS + BACK_MS : 0,
    overflows: link === 'rabbitmq' && fault.name !== 'slow',
  }
  try {
    return await underFullLoad(report, site, terms, async (gateways) => {
      const before = { there: proxy.carried('toTarget'), back: proxy.carried('toClient') }
      fault.begin(proxy)
      report.say(`the link is ${fault.name} for ${forMs / 1000} s`)
      await delay(forMs)
      const there = proxy.carried('toTarget') - before.there
      const back = proxy.carried('toClient') - before.back
      fault.end(proxy)
      await Promise.all(gateways.map((gateway) => gateway.untilReady(60_000)))
      return { notes: [`${fault.name} for ${forMs / 1000} s; meanwhile ${there} bytes there and ${back} back`] }
    })
  } finally {
    await Promise.all([proxy.close(), nats.stop(), asterisk.stop()])
  }
}

/** Each link cut, stalled without a reset, and slowed to 50 KB/s. */
export const LINK_SCENARIOS: readonly Scenario[] = (['rabbitmq', 'nats', 'asterisk'] as const).flatMap((link) =>
  FAULTS.map((fault) => ({
    name: `${link}-link-${fault.name}`,
    isShort: true,
    run: (report: Report) => runLink(report, link, fault),
  })),
)
