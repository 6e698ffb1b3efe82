import { expect, it } from 'vitest'
import { qualifyIds } from '../../src/gateway/qualify.js'
import { FACT_SHAPES, type Fact, type FactKind } from '../../src/model/index.js'

it('gives every id of a channel its node, once', () => {
  const fact: Fact = {
    kind: 'channel',
    id: '1795193917.332',
    node: 'ast1',
    peers: ['1795193917.333'],
    bridge: { id: 'b', members: ['1795193917.332', '1795193917.333'] },
    caller: { number: '1001' },
  }
  qualifyIds(fact, 'ast1')
  const once = structuredClone(fact)
  qualifyIds(fact, 'ast1')
  expect(fact).toEqual(once)
  expect(fact).toEqual({
    kind: 'channel',
    id: 'ast1~1795193917.332',
    node: 'ast1',
    peers: ['ast1~1795193917.333'],
    bridge: { id: 'ast1~b', members: ['ast1~1795193917.332', 'ast1~1795193917.333'] },
    caller: { number: '1001' },
  })
})

it('leaves what is not told untold', () => {
  const fact: Fact = { kind: 'channel', id: 'a' }
  qualifyIds(fact, 'n')
  expect(fact).toEqual({ kind: 'channel', id: 'n~a' })
})

it('knows every field named like an id of a channel', () => {
  const named = (Object.keys(FACT_SHAPES) as FactKind[]).filter((kind) => 'channel' in FACT_SHAPES[kind])
  for (const kind of named) {
    const fact = { kind, channel: 'c' } as unknown as Fact // one field of any such kind
    qualifyIds(fact, 'n')
    expect(fact).toMatchObject({ channel: 'n~c' })
  }
})
