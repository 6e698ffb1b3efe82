import { setTimeout as delay } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { type Job, makeJobs } from '../../src/gateway/jobs.js'
import { inherit, type Station } from '../../src/gateway/station.js'
import { createLog } from '../../src/telemetry/index.js'

const log = createLog({ level: 'silent', format: 'json' })
const REFUSAL = new GatewayError('link.refused', 'nobody takes it')
const MESSAGE = { number: 1, key: '\u00007', id: 'm1' }

/** Takes over letters, each from a message or none, of which all are refused. */
function takeOver(...origins: readonly (number | undefined)[]) {
  const jobs = makeJobs({ group: 'g', link: 'l', window: 256 })
  const dropped = vi.fn()
  const said = origins.map(() => vi.fn(() => undefined))
  const ended = new AbortController()
  const begun: Job[] = []
  const settled: string[] = []
  const station = { name: 'l', jobs, metrics: { dropped } } as unknown as Station
  const unsaid = origins.map((taken, at) => ({ letters: [], taken, said: said[at]! }))
  const legacy = { lastTaken: 1, taken: [{ ...MESSAGE, said: undefined }], unsaid, commands: new Map() }
  inherit(station, legacy, () => Promise.reject(REFUSAL), { log, ended: ended.signal })
  const come = () =>
    jobs.begin(
      {
        frame: { address: {}, headers: {}, body: Buffer.from('a') },
        receivedAt: 0,
        redelivered: true,
        sourceSequence: 7,
        settle: (outcome) => void settled.push(outcome),
      },
      (job) => void begun.push(job),
    )
  return { dropped, said, ended, begun, settled, come }
}

test('what is refused and follows from no message is dropped', async () => {
  const { dropped, said } = takeOver(undefined)
  await vi.waitFor(() => expect(said[0]).toHaveBeenCalledOnce())
  expect(dropped).toHaveBeenCalledExactlyOnceWith('dead-letter-failed')
})

test('what is refused counts as said only once its message came again and is begun as refused', async () => {
  const { dropped, said, begun, settled, come } = takeOver(1)
  await delay(20)
  expect(said[0]).not.toHaveBeenCalled()
  come()
  expect(begun).toMatchObject([{ id: 'm1', taken: MESSAGE, refused: REFUSAL }])
  await vi.waitFor(() => expect(said[0]).toHaveBeenCalledOnce())
  expect(settled).toEqual([])
  begun[0]!.settle('done')
  expect(settled).toEqual(['done'])
  expect(dropped).not.toHaveBeenCalled()
})

test('of a message that was refused before, only its dead letter is looked at', async () => {
  const { dropped, said, begun, come } = takeOver(1, 1)
  await vi.waitFor(() => expect(said[0]).toHaveBeenCalledOnce())
  expect(said[1]).not.toHaveBeenCalled()
  come()
  await vi.waitFor(() => expect(said[1]).toHaveBeenCalledOnce())
  expect(begun).toHaveLength(1)
  expect(dropped).not.toHaveBeenCalled()
})

test('what is refused when somebody else has the link is left to that one', async () => {
  const { dropped, said, ended } = takeOver(1)
  await delay(20)
  ended.abort()
  await delay(20)
  expect(said[0]).not.toHaveBeenCalled()
  expect(dropped).not.toHaveBeenCalled()
})
