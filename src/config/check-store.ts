import type { Fault } from './fault.js'
import type { RawConfig } from './raw-view.js'
import { oneOf } from './wording.js'
import type { YamlSource } from './yaml-source.js'

/** Faults of the shared store: it needs a NATS link to be reached by. */
export function checkStore(source: YamlSource, { state, storeLink, links }: RawConfig): Fault[] {
  const able = links.filter(({ type }) => type === 'nats').map(({ name }) => name)
  if (state === 'jetstream' && able.length === 0) {
    const what = '`state: jetstream` needs a link of type nats, and there is none'
    return [source.fault(['state'], 'config.link', what, 'add one, or keep `state: memory` with one replica')]
  }
  if (storeLink === undefined || able.includes(storeLink)) return []
  const what = `the store cannot be reached by \`${storeLink}\``
  return [
    source.fault(['store', 'link'], 'config.link', what, `want a link of type nats: ${oneOf(able) || 'there is none'}`),
  ]
}
