import { expect, test } from 'vitest'
import { watchEvents } from '../../../src/transports/ari-client/seen.js'
import { channel, event } from './fake-asterisk.js'

const bridge = (id: string) => ({ id, bridge_type: 'mixing', channels: [] })

test('who ended is known by the id alone, however many there were', () => {
  const seen = watchEvents()
  for (let at = 0; at < 1000; at++) {
    seen.note(event('ChannelCreated', { channel: channel(`c${at}`) }))
    seen.note(event('ChannelEnteredBridge', { channel: channel(`c${at}`), bridge: bridge(`b${at}`) }))
    seen.note(event('ChannelDestroyed', { channel: channel(`c${at}`), cause: 16 }))
    seen.note(event('BridgeDestroyed', { bridge: bridge(`b${at}`) }))
  }
  expect([seen.channels.size, seen.bridges.size, seen.gone.size]).toEqual([0, 0, 2000])
})

test('who begins anew under the id of one that ended is there', () => {
  const seen = watchEvents()
  seen.note(event('ChannelDestroyed', { channel: channel('c'), cause: 16 }))
  seen.note(event('ChannelCreated', { channel: channel('c', 'Down') }))
  expect([...seen.channels.values()]).toMatchObject([{ state: 'Down' }])
  expect(seen.gone.has('c')).toBe(false)
})
