import { expect, test } from 'vitest'
import { formatFault } from '../../src/config/index.js'
import { parseConfig } from '../../src/config/load.js'

const LINKS = `
links:
  legacy: { type: amqp, dialect: voice-events, url: 'amqp://u:p@127.0.0.1' }
  one: { type: nats, dialect: xcc, servers: ['nats://127.0.0.1'] }
  two: { type: nats, dialect: xcc, servers: ['nats://127.0.0.2'] }
routes: [{ from: legacy, to: one }]
`
const parsed = (yaml: string) => parseConfig(yaml, 'p.yaml', {})
const faultsOf = (yaml: string) => (parsed(yaml).faults ?? []).map(formatFault)

test('state is kept in memory unless it is said otherwise, and then there is no store', () => {
  const { config } = parsed(`group: g${LINKS}`)
  expect(config?.state).toBe('memory')
  expect(config).not.toHaveProperty('store')
})

test('the store of replicas is reached by the first NATS link unless another is named', () => {
  const store = { copies: 1, declare: true, keepMs: 21_600_000, spreadAfterMs: 0 }
  expect(parsed(`group: g\nstate: jetstream${LINKS}`).config?.store).toEqual({ ...store, link: 'one' })
  const named = `group: g\nstate: jetstream\nstore: { link: two, copies: 3 }${LINKS}`
  expect(parsed(named).config?.store).toEqual({ ...store, link: 'two', copies: 3 })
})

test('a store that no NATS link reaches is refused', () => {
  expect(faultsOf(`group: g\nstate: jetstream\nstore: { link: legacy }${LINKS}`)).toEqual([
    'p.yaml:3:16: config.link: the store cannot be reached by `legacy`; want a link of type nats: one or two',
  ])
  const withoutNats = `group: g
state: jetstream
links:
  legacy: { type: amqp, dialect: voice-events, url: 'amqp://u:p@127.0.0.1' }
  other: { type: amqp, dialect: voice-events, url: 'amqp://u:p@127.0.0.2' }
routes: [{ from: legacy, to: other }]
`
  expect(faultsOf(withoutNats)).toEqual([
    'p.yaml:2:8: config.link: `state: jetstream` needs a link of type nats, and there is none; add one, or keep `state: memory` with one replica',
  ])
})
