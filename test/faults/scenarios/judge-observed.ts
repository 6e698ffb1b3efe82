import type { GatewayProcess } from '../gateway-process.js'
import { firstOf } from './counted.js'
import type { ObservedCount } from './observed-events.js'

/** What may become of observed events. */
export interface ObservedTerms {
  /** Milliseconds in which they may pass unheard, all gaps together. Default 0. */
  readonly observedGapsMs?: number
  /** Their target is away for so long that the buffer for them has to run over. Default false. */
  readonly overflows?: boolean
}

/** A time in which events may have been missed, UTC milliseconds. */
export interface Gap {
  readonly from: number
  readonly until: number
}

/** What the gateways say they did not pass on. */
export interface Confessed {
  readonly gaps: readonly Gap[]
  /** Messages that found the buffer full: each of them is lost. */
  readonly overflowed: number
  /** Messages given up because the replica lost its duty or was stopped; whether one was sent is not always known. */
  readonly givenUp: number
}

/** What gateways say of a link: gaps by their logs, those of replicas that are gone too, drops by their metrics. */
export async function confessed(gateways: readonly GatewayProcess[], link: string): Promise<Confessed> {
  const lines = gateways.flatMap((gateway) => gateway.lines)
  const gaps = lines
    .filter((line) => line.includes('"messages may have been missed"'))
    .map((line) => JSON.parse(line) as Gap & { readonly link: string })
    .filter((line) => line.link === link)
  const running = gateways.filter((gateway) => gateway.isRunning())
  const dropped = async (reason: string) => {
    const drops = running.map((each) => each.metric('gateway_dropped_messages_total', { link, reason }))
    return (await Promise.all(drops)).reduce((sum, each) => sum + each, 0)
  }
  return { gaps, overflowed: await dropped('buffer-full'), givenUp: await dropped('stopping') }
}

/** Milliseconds that lie in any of them: two replicas may tell of the same outage. */
function covered(gaps: readonly Gap[]): number {
  let sum = 0
  let upTo = 0
  for (const { from, until } of gaps.toSorted((one, other) => one.from - other.from)) {
    sum += Math.max(0, until - Math.max(from, upTo))
    upTo = Math.max(upTo, until)
  }
  return sum
}

/** Holds what was lost to what the gateways say of it: every event that was, was either dropped and counted or is in a gap. */
export function judgeObserved(
  { sent, received, duplicates, lost }: ObservedCount,
  { gaps, overflowed, givenUp }: Confessed,
  { observedGapsMs = 0, overflows = false }: ObservedTerms,
): { faults: string[]; note: string } {
  const gapMs = covered(gaps)
  const outside = lost.filter(
    ({ fromMs, untilMs }) => !gaps.some(({ from, until }) => fromMs <= until && from <= untilMs),
  )
  const faults = [
    ...(outside.length <= overflowed + givenUp
      ? []
      : firstOf(
          `${overflowed + givenUp} observed events were dropped by metric, and more are lost outside of gaps`,
          outside.map(({ serial }) => serial),
        )),
    ...(overflowed <= lost.length
      ? []
      : [`${overflowed} observed events found the buffer full by metric, and ${lost.length} are lost`]),
    ...(gapMs <= observedGapsMs
      ? []
      : [`gaps of observed events add up to ${gapMs} ms, and at most ${observedGapsMs} ms are due`]),
    ...(overflows && overflowed === 0 ? ['the buffer of observed events did not run over'] : []),
  ]
  const told = gaps.length === 0 ? 'no gap' : `${gaps.length} gaps told, ${gapMs} ms together`
  return {
    faults,
    note:
      `observed on core NATS: ${sent} sent, ${received} received, ${duplicates} twice, ${lost.length} lost: ` +
      `${overflowed} found the buffer full by metric, ${givenUp} were given up, ${lost.length - outside.length} within gaps; ${told}`,
  }
}
