import type { LinkMetrics, Log } from '../telemetry/index.js'
import type { LinkEvent } from '../transports/transport.js'

/**
 * Tells log and metrics what happens to a link. Healthy links are quiet: changes of state are worth a line,
 * single frames are not, and a fault that only repeats itself is told once until the link stands again.
 */
export function linkLog(link: string, metrics: LinkMetrics, log: Log): (event: LinkEvent) => void {
  let lastFault: string | undefined

  return (event) => {
    switch (event.kind) {
      case 'up':
        lastFault = undefined
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
        const tell = event.error.message === lastFault ? log.debug : log.error
        lastFault = event.error.message
        tell('link fault', { link, err: event.error })
        break
      }
      case 'returned':
        metrics.unroutable()
        log.debug('nobody is bound to receive a message', { link, address: event.frame.address })
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
        log.info('link stands by', { link })
        break
      case 'blocked':
        log.warn('the peer takes nothing for now', { link, reason: event.reason })
        break
      case 'unblocked':
        log.info('the peer takes messages again', { link })
    }
  }
}
