import { expect, test } from 'vitest'
import { shippedMapping } from '../../src/config/index.js'
import { openDialects } from '../../src/gateway/dialects.js'
import { offlineRules } from '../../src/gateway/rules-offline.js'
import type { ChannelFact } from '../../src/model/index.js'
import { channel } from './facts.js'

const opened = openDialects(['voice-events.yaml', 'xcc.yaml'].map(shippedMapping))
if ('faults' in opened) throw new Error('the shipped mappings are faulty')
const { dialects } = opened

const message = (...facts: ChannelFact[]) => ({ rule: 'channel-states', facts, ext: {}, full: undefined })

test('a message that cannot be written leaves its channels as they were: the next one is announced', async () => {
  const rules = offlineRules(dialects.get('voice-events')!, dialects.get('xcc')!, {
    loopback: false,
    unsaid: () => undefined,
  })
  const broken = message(channel('ringing', { dialled: '\ud800' }))
  await expect(rules.take(broken, { id: 'm1' })).rejects.toMatchObject({ code: 'codec.field', fate: 'reject' })
  const frames = await rules.take(message(channel('ringing')), { id: 'm2' })
  const states = frames.map(({ body }) => {
    const { params } = JSON.parse(Buffer.from(body).toString()) as { params: { state: string } }
    return params.state
  })
  expect(states).toEqual(['START', 'RINGING'])
})
