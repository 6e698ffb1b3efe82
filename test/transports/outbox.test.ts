import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { makeOutbox, type Outbox, type Parcel } from '../../src/transports/outbox.js'

const frame = (text: string, orderKey?: string) => ({
  address: {},
  headers: {},
  body: Buffer.from(text),
  ...(orderKey === undefined ? {} : { orderKey }),
})
const textOf = (parcel: Parcel | undefined) => parcel && Buffer.from(parcel.frame.body).toString()

function take(outbox: Outbox): Parcel[] {
  const parcels: Parcel[] = []
  for (let parcel = outbox.next(); parcel !== undefined; parcel = outbox.next()) parcels.push(parcel)
  return parcels
}

describe('outbox', () => {
  test('frames of one key go one at a time, others side by side', () => {
    const outbox = makeOutbox(10, () => undefined)
    for (const [text, key] of [['a1', 'a'], ['a2', 'a'], ['b1', 'b'], ['x'], ['y']] as const)
      void outbox.add(frame(text, key))
    const first = take(outbox)
    expect(first.map(textOf)).toEqual(['a1', 'b1', 'x', 'y'])
    if (first[0]) outbox.confirm(first[0])
    expect(take(outbox).map(textOf)).toEqual(['a2'])
  })

  test('no more are in flight than the window allows', () => {
    const outbox = makeOutbox(2, () => undefined)
    for (const text of ['1', '2', '3']) void outbox.add(frame(text))
    const [one] = take(outbox)
    expect(outbox.inFlight()).toBe(2)
    if (one) outbox.confirm(one)
    expect(take(outbox).map(textOf)).toEqual(['3'])
  })

  test('its size is what is neither confirmed nor refused: in flight, resting, ready, or behind another of its key', () => {
    const outbox = makeOutbox(3, () => undefined)
    const sizes = [outbox.size()]
    for (const [text, key] of [['a1', 'a'], ['a2', 'a'], ['a3', 'a'], ['1'], ['2'], ['3']] as const)
      outbox.add(frame(text, key)).catch(() => undefined)
    const [a1, one, two] = take(outbox)
    sizes.push(outbox.size())
    outbox.confirm(a1!)
    outbox.refuse(one!, new GatewayError('link.too-large', 'x'))
    sizes.push(outbox.size())
    outbox.again(two!, 60_000)
    take(outbox)
    outbox.putBack()
    sizes.push(outbox.size())
    outbox.close()
    expect([...sizes, outbox.size()]).toEqual([0, 6, 4, 4, 0])
  })

  test('after a loss everything in flight goes out again first, in its old order', () => {
    const outbox = makeOutbox(3, () => undefined)
    for (const text of ['1', '2', '3', '4']) void outbox.add(frame(text))
    const [, two] = take(outbox)
    if (two) outbox.confirm(two)
    outbox.putBack()
    expect(take(outbox).map(textOf)).toEqual(['1', '3', '4'])
  })

  test('a refused frame rejects its sender and frees its key', async () => {
    const outbox = makeOutbox(3, () => undefined)
    const refused = outbox.add(frame('1', 'k'))
    void outbox.add(frame('2', 'k'))
    const [one] = take(outbox)
    if (one) outbox.refuse(one, new GatewayError('link.too-large', 'x'))
    await expect(refused).rejects.toMatchObject({ code: 'link.too-large' })
    expect(take(outbox).map(textOf)).toEqual(['2'])
  })

  test('a frame that waits for another try keeps its key waiting, and is not empty', async () => {
    let woken = 0
    const outbox = makeOutbox(3, () => woken++)
    void outbox.add(frame('1', 'k'))
    void outbox.add(frame('2', 'k'))
    const [one] = take(outbox)
    if (one) outbox.again(one, 5)
    expect(take(outbox)).toEqual([])
    await expect.poll(() => woken).toBe(3)
    expect(take(outbox).map(textOf)).toEqual(['1'])
    expect(one?.tries).toBe(1)
  })

  test('empty waits for the last confirmation; close refuses what is left and what comes later', async () => {
    const outbox = makeOutbox(3, () => undefined)
    await outbox.empty()
    void outbox.add(frame('1'))
    const empty = outbox.empty()
    const [one] = take(outbox)
    if (one) outbox.confirm(one)
    await empty
    const left = outbox.add(frame('2', 'k'))
    const behind = outbox.add(frame('3', 'k'))
    outbox.close()
    for (const send of [left, behind, outbox.add(frame('4'))]) {
      await expect(send).rejects.toMatchObject({ code: 'gateway.stopping', fate: 'retry' })
    }
  })

  test('whatever happens, each key keeps its order and nothing is lost', () => {
    const seed = process.env.FC_SEED
    const happening = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), key: fc.constantFrom('a', 'b', undefined) }),
      fc.record({ kind: fc.constant('confirm' as const), which: fc.nat(20) }),
      fc.record({ kind: fc.constant('loss' as const) }),
    )
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 200 }), (happenings) => {
        const outbox = makeOutbox(4, () => undefined)
        const confirmed = new Map<string, number[]>()
        let flying: Parcel[] = []
        let added = 0
        let done = 0
        const finish = (parcel: Parcel) => {
          const key = parcel.frame.orderKey ?? `free ${textOf(parcel)}`
          confirmed.set(key, [...(confirmed.get(key) ?? []), Number(textOf(parcel))])
          outbox.confirm(parcel)
          done++
        }
        for (const event of happenings) {
          if (event.kind === 'add') void outbox.add(frame(String(added++), event.key)).catch(() => undefined)
          if (event.kind === 'loss') {
            outbox.putBack()
            flying = []
          }
          if (event.kind === 'confirm' && flying.length > 0)
            finish(...(flying.splice(event.which % flying.length, 1) as [Parcel]))
          flying.push(...take(outbox))
          const keys = flying.flatMap(({ frame: { orderKey } }) => orderKey ?? [])
          expect(new Set(keys).size).toBe(keys.length)
        }
        for (; flying.length > 0; flying.push(...take(outbox))) for (const parcel of flying.splice(0)) finish(parcel)
        expect(done).toBe(added)
        for (const numbers of confirmed.values()) expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
      }),
      seed === undefined ? {} : { seed: Number(seed) },
    )
  })
})
