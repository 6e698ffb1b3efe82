import { expect, test } from 'vitest'
import { makeAnnouncer } from '../../src/calls/announcer.js'
import type { Dialect } from '../../src/mapping/dialect.js'
import type { Fact } from '../../src/model/index.js'
import type { Log } from '../../src/telemetry/index.js'
import type { Transport } from '../../src/transports/transport.js'

/** An announcer, and the changes that it told of. `more` is asked for the rest of what is told. */
function announcing(more?: () => Promise<object>) {
  const told: unknown[] = []
  const dialect = {
    encode({ facts }: { readonly facts: readonly Fact[] }) {
      for (const fact of facts) told.push(fact.kind === 'node' && fact.change)
      return { messages: [], unsaid: [] }
    },
  } as unknown as Dialect
  const announcer = makeAnnouncer({
    uuid: 'n',
    name: 'n',
    address: 'cn.xswitch.node.n',
    version: '0',
    intervalMs: 60_000,
    dialect: () => dialect,
    transport: {} as Transport,
    headers: {},
    log: {} as Log,
    sessions: async () => 0,
    ...(more && { more }),
  })
  return { announcer, told }
}

test('nothing is said of a node that has left', async () => {
  const { announcer, told } = announcing()
  announcer.start()
  await announcer.stop()
  announcer.announce()
  announcer.update()
  await announcer.stop()
  expect(told).toEqual(['came', 'left'])
})

test('that it leaves is said without asking how it is', async () => {
  let asked = 0
  const { announcer, told } = announcing(async () => {
    asked += 1
    return {}
  })
  announcer.start()
  await announcer.stop()
  expect(told).toEqual(['came', 'left'])
  expect(asked).toBe(1)
})
