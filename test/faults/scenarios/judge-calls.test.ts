import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { listenToAri } from '../../harness/index.js'
import { asteriskWithEntry } from './full-load.js'
import { judgeCalls } from './judge-calls.js'

const NOTHING = { repeated: [], failed: [], gaps: [] }

test('whom the application had, and whom it never had, is found in the CDRs of Asterisk', async () => {
  const asterisk = await asteriskWithEntry()
  onTestFinished(() => asterisk.stop())
  const place = (id: string) =>
    asterisk.ari('POST', '/channels', {
      endpoint: 'Local/10@patchbay-load',
      extension: 'answer',
      context: 'services',
      channelId: `${id}-caller`,
      otherChannelId: `${id}-called`,
    })
  await place('early')
  await delay(6500) // nobody has the application for as long as it waits
  const listener = await listenToAri(asterisk)
  onTestFinished(() => listener.close())
  await place('late')
  await listener.until('StasisStart')
  await asterisk.ari('DELETE', '/channels/late-called')
  const placed = ['early-called', 'late-called', 'stranger']
  const late = new Set(['late-called'])
  const right = await judgeCalls({ ...NOTHING, placed, started: late, ended: late }, asterisk, {})
  expect(right.faults).toEqual(['calls without a CDR: stranger', 'calls never admitted, by CDR: early-called'])
  expect(right.note).toContain('by CDR 1 admitted and 1 never')
  const early = new Set(['early-called'])
  const wrong = await judgeCalls({ ...NOTHING, placed, started: early, ended: early }, asterisk, { refusals: true })
  expect(wrong.faults).toEqual([
    'calls without a CDR: stranger',
    'admitted by CDR and never announced: late-called',
    'announced, and by CDR not admitted: early-called',
    'their end was never told: late-called',
  ])
})
