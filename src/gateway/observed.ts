import { decodeEnvelope, type Envelope } from '../codecs/json-rpc/index.js'
import type { Dialect } from '../mapping/dialect.js'
import { fitsMatch } from '../mapping/match.js'
import type { IgnoredKind } from '../telemetry/index.js'

/** Tells what is passed over on purpose from what is at fault, of messages a dialect could not take. */
export type PassOver = (body: Uint8Array) => IgnoredKind | undefined

/**
 * What an observer of an XCC bus hears that is none of a translator's business: results, requests, and events
 * that no rule is for. Undefined for a body that is none of these, and so is at fault: broken JSON, or an event
 * that a rule is for and could not take.
 */
export function xccPassOver(current: () => Dialect): PassOver {
  let asked: { readonly dialect: Dialect; readonly passOver: PassOver } | undefined
  return (body) => {
    const dialect = current()
    if (asked?.dialect !== dialect) asked = { dialect, passOver: passOverOf(dialect) }
    return asked.passOver(body)
  }
}

function passOverOf(dialect: Dialect): PassOver {
  const rules = dialect.messages.map(({ rule }) => Object.entries(rule.match ?? {}))
  const isExpected = (event: Envelope) =>
    rules.some((match) => match.every(([path, asked]) => fitsMatch(asked, valueAt(event, path))))
  return (body) => {
    try {
      const envelope = decodeEnvelope(body)
      if (envelope.kind === 'response') return 'result'
      if (envelope.kind === 'event') return isExpected(envelope) ? undefined : 'unknown-event'
      if (envelope.method.startsWith('XNode.')) return 'node-request'
      return envelope.method.startsWith('XCtrl.') ? 'controller-request' : 'other-request'
    } catch {
      return undefined
    }
  }
}

function valueAt(root: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => {
    return typeof at === 'object' && at !== null && Object.hasOwn(at, key)
      ? (at as Record<string, unknown>)[key]
      : undefined
  }, root)
}
