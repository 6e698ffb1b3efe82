import { expect, test } from 'vitest'
import { shippedMapping } from '../../src/config/index.js'
import { openDialects } from '../../src/gateway/dialects.js'
import { makeHub } from '../../src/gateway/hub.js'
import { makeRoute } from '../../src/gateway/route.js'
import { fixedRules } from '../../src/gateway/rules/index.js'
import { type Letters, memoryState } from '../../src/gateway/state.js'
import { FACT_SHAPES, type Fact, type FactKind, type FactOf } from '../../src/model/index.js'
import type { OutgoingFrame } from '../../src/transports/transport.js'

const opened = openDialects(['stasis.yaml', 'xcc.yaml'].map(shippedMapping))
if ('faults' in opened) throw new Error('the shipped mappings are faulty')
const { dialects } = opened
const ignore = () => undefined

/** A hub between Asterisks whose pictures we draw, and one bus. */
function hubOf(...asterisks: readonly string[]) {
  const sent: OutgoingFrame[] = []
  const routes = asterisks.map((from) =>
    makeRoute({
      name: `${from}-to-bus`,
      from,
      to: 'bus',
      kinds: new Set(Object.keys(FACT_SHAPES) as FactKind[]), // keys of the model's own table
      source: dialects.get('stasis')!,
      target: dialects.get('xcc')!,
      loopback: false,
      cdrOrder: 'before-end',
      steered: false,
      group: 'g',
      node: 'g',
      metrics: { translated: ignore, sent: ignore, suppressed: ignore, unsaid: ignore, delivered: ignore },
    }),
  )
  async function post(letters: readonly Letters[]): Promise<void> {
    sent.push(...letters.flatMap(({ frames }) => frames))
  }
  const rules = fixedRules({
    revision: 'r',
    routes,
    routesFrom: (link) => routes.filter(({ from }) => from === link),
  })
  const hub = makeHub({ isDrawn: (link) => link !== 'bus', rules, store: memoryState(), post, now: () => 0 })
  return {
    sent,
    async take(from: string, ...facts: readonly Fact[]) {
      await hub.take({ link: from, facts, path: [], full: undefined, meta: { id: 'm' } }).confirmed
    },
  }
}

const phone = (state: 'online' | 'offline', more: Partial<FactOf<'terminal'>> = {}): FactOf<'terminal'> => ({
  kind: 'terminal',
  serial: '1001',
  state,
  change: 'state',
  ...more,
})

test('a telephone that could not be told of is news the next time', async () => {
  const { take, sent } = hubOf('ast1')
  await expect(take('ast1', phone('online', { number: '\ud800' }))).rejects.toMatchObject({ code: 'codec.field' })
  await take('ast1', phone('online', { number: '10' }))
  await take('ast1', phone('online', { number: '10' }))
  expect(sent).toHaveLength(1)
})

test('it is offline once it is so at the last server that had it', async () => {
  const { take, sent } = hubOf('ast1', 'ast2')
  await take('ast1', phone('online'))
  await take('ast2', phone('online'))
  await take('ast1', phone('offline'))
  expect(sent).toHaveLength(2)
  await take('ast2', phone('offline'))
  expect(sent).toHaveLength(3)
})
