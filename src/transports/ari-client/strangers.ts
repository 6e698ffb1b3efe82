import { GatewayError } from '../../errors.js'
import type { AriConfig, AriSystem } from './config.js'
import type { EventHead } from './event-head.js'
import { parseObject, textOf } from './shapes.js'

/**
 * Makes the check of a connection that somebody else opened: it is to carry our application alone, and to come from the
 * Asterisk that `url` leads to. Answers with what is wrong with an event, or undefined.
 */
export function strangerCheck({ app, url }: AriConfig, { entityId }: AriSystem) {
  const refusal = (what: string) => new GatewayError('link.refused', `Asterisk connected ${what}`, { fate: 'retry' })
  let isFirst = true

  return ({ application }: EventHead, body: Buffer): GatewayError | undefined => {
    if (application !== undefined && application !== app) {
      return refusal(`for the application "${application}"; want a connection for "${app}" alone`)
    }
    if (!isFirst) return undefined
    isFirst = false
    const from = textOf(parseObject(body)?.asterisk_id)
    if (from === entityId || from === '') return undefined
    return refusal(`that calls itself ${from}, but the one at ${url} is ${entityId}; want one link for each`)
  }
}
