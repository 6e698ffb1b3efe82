import { describe, expect, test } from 'vitest'
import { type NodeOnOffer, sharedSubject } from '../../src/calls/shared-subject.js'

interface Told extends Partial<Pick<NodeOnOffer, 'uuid' | 'reaches' | 'takesCalls' | 'load'>> {
  readonly calls?: readonly string[]
  readonly rooms?: readonly string[]
}

/** Nodes that note in one list what they are asked for. */
function nodes(...all: readonly Told[]) {
  const log: string[] = []
  const offers = all.map(
    ({ calls = [], rooms = [], ...more }, index): NodeOnOffer => ({
      uuid: `node-${index}`,
      has: async (uuid) => calls.includes(uuid),
      holds: (name) => rooms.includes(name),
      reaches: () => true,
      takesCalls: () => true,
      load: () => 0,
      announce: () => void log.push(`${index} announces`),
      take: async () => void log.push(String(index)),
      ...more,
    }),
  )
  const { take } = sharedSubject(offers)
  return {
    log,
    ask: (method: string, params: unknown = {}) =>
      take({
        address: {},
        headers: {},
        body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: '1', method, params })),
      }),
    take,
  }
}

const dialTo = (...strings: readonly unknown[]) => ({
  destination: { call_params: strings.map((dial_string) => ({ dial_string })) },
})

describe('a request to any node goes', () => {
  test('to the one that has the channel, else to the first, which says so', async () => {
    const { ask, log } = nodes({ calls: ['a'] }, { calls: ['b'], takesCalls: () => false })
    for (const uuid of ['b', 'a', 'nobody']) await ask('XNode.Hangup', { uuid })
    expect(log).toEqual(['1', '0', '0'])
  })

  test('to those that can dial all of it, and of them to the least loaded', async () => {
    const loads = [5, 3, 1]
    const { ask, log } = nodes(
      ...loads.map((load, index) => ({ load: () => load, reaches: (to: string) => to !== 'far' || index < 2 })),
    )
    await ask('XNode.Dial', dialTo('near', 'near'))
    await ask('XNode.Dial', dialTo('near', 'far'))
    loads.splice(0, 3, 0, 0, 0)
    expect(log).toEqual(['2', '1'])
  })

  test('in turn where none is more loaded than the others', async () => {
    const { ask, log } = nodes({}, {}, {})
    await Promise.all(Array.from({ length: 6 }, () => ask('XNode.Dial', dialTo('near'))))
    expect(log).toEqual(['0', '1', '2', '0', '1', '2'])
  })

  test('to none whose switch is away or that shuts down, as long as there is another', async () => {
    let away = true
    const { ask, log } = nodes({ takesCalls: () => !away }, { load: () => 99 })
    await ask('XNode.Dial', dialTo('near'))
    await ask('XNode.JStatus')
    away = false
    await ask('XNode.JStatus')
    expect(log).toEqual(['1', '1', '0'])
    const none = nodes({ takesCalls: () => false })
    await none.ask('XNode.Dial', dialTo('near'))
    expect(none.log).toEqual(['0'])
  })

  test('to the one that has the conference it asks for', async () => {
    const { ask, log } = nodes({}, { rooms: ['3000'], load: () => 9 })
    const query = (conferenceName: string) => ({ data: { command: 'conferenceInfo', data: { conferenceName } } })
    for (const name of ['3000', 'other']) await ask('XNode.NativeJSAPI', query(name))
    expect(log).toEqual(['1', '0'])
  })

  test('to those that can do it also with an empty uuid', async () => {
    const { ask, log } = nodes({ takesCalls: () => false }, {})
    await ask('XNode.Dial', { uuid: '', ...dialTo('near') })
    expect(log).toEqual(['1'])
  })

  test('to the one that is to shut down', async () => {
    const { ask, log } = nodes({ uuid: 'n0' }, { uuid: 'n1', takesCalls: () => false, load: () => 9 })
    for (const node_uuid of ['n1', 'n0', 'n7', undefined]) await ask('XNode.Shutdown', { node_uuid })
    expect(log).toEqual(['1', '0', '0', '0'])
  })

  test('to all of them where a controller starts', async () => {
    const { ask, log } = nodes({}, {}, {})
    await ask('XNode.CtrlStartUp')
    expect(log).toEqual(['1 announces', '2 announces', '0'])
  })

  test.each([
    ['no JSON', 'garbage'],
    ['no request', JSON.stringify({ jsonrpc: '2.0', id: '1', result: {} })],
  ])('to the first where it is %s', async (_, body) => {
    const { take, log } = nodes({}, {})
    await take({ address: {}, headers: {}, body: Buffer.from(body) })
    expect(log).toEqual(['0'])
  })

  test.each([7, null, 'x', [], { destination: 7 }, { destination: { call_params: [null, { dial_string: 5 }] } }])(
    'to one also with the odd params %j',
    async (params) => {
      const { ask, log } = nodes({}, {})
      await ask('XNode.Dial', params)
      expect(log).toHaveLength(1)
    },
  )
})
