import type { LinkMetrics, Log } from '../telemetry/index.js'
import type { LinkEvent } from '../transports/transport.js'
import { HEADERS } from './headers.js'

/** Faults that are remembered as told. */
const MAX_TOLD = 100

/**
 * Tells log and metrics what happens to a link. Healthy links are quiet: changes of state are worth a line,
 * single frames are not, and a fault that only repeats itself is told once until the link stands again.
 */
export function linkLog(link: string, metrics: LinkMetrics, log: Log): (event: LinkEvent) => void {
  /** Several addresses, tried in turn, may each have a fault of their own. */
  const told = new Set<string>()

  return (event) => {
    switch (event.kind) {
      case 'up':
        told.clear()
        metrics.up(true)
        log.info('link up', { link })
        break
      case 'down':
        metrics.up(false)
        // Without an error it is we who left it.
        if (event.error === undefined) log.info('link down', { link })
        else log.warn('link down', { link, err: event.error })
        break
      case 'reconnecting':
        metrics.reconnect()
        log.debug('link reconnecting', { link, attempt: event.attempt, delayMs: event.delayMs })
        break
      case 'fault': {
        const { message } = event.error
        const tell = told.has(message) ? log.debug : log.error
        if (told.size < MAX_TOLD) told.add(message)
        tell('link fault', { link, err: event.error })
        break
      }
      case 'certificate':
        metrics.certificate('peer', event.until)
        break
      case 'returned':
        metrics.unroutable()
        log.debug('nobody is bound to receive a message', {
          link,
          id: event.frame.headers[HEADERS.id],
          address: event.frame.address,
        })
        break
      case 'dropped':
        metrics.dropped('buffer-full')
        break
      case 'consuming':
        log.info('link consuming', { link, source: event.source })
        break
      case 'interrupted':
        log.debug('link consumes no more for now', { link, source: event.source })
        break
      case 'standby':
        log.info('link stands by', { link, ...(event.isDown === true && { isDown: true }) })
        break
      case 'blocked':
        log.warn('the peer takes nothing for now', { link, reason: event.reason })
        break
      case 'unblocked':
        log.info('the peer takes messages again', { link })
        break
      case 'trouble': {
        // What may not be done has to be allowed by somebody; the rest may mend itself.
        const tell = event.error.fate === 'reject' ? log.error : log.warn
        tell('link in trouble', { link, of: event.of, err: event.error })
        break
      }
      case 'mended':
        log.info('link out of trouble', { link, of: event.of })
    }
  }
}
