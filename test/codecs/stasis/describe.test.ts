import { describe, expect, test } from 'vitest'
import { describeMember, EVENTS, eventFaults } from '../../../src/codecs/stasis/index.js'

const start = { type: 'StasisStart' }

describe('of events it is known', () => {
  test.each([
    ['a member', start, ['channel', 'state'], true, 'a text'],
    ['a member deep inside', start, ['channel', 'dialplan', 'priority'], true, 'a whole number'],
    ['a time', start, ['timestamp'], true, 'a time such as 2026-01-01T08:00:00.000+0000'],
    ['a list', start, ['args'], true, 'a list, each a text'],
    ['whatever stands in a free object', start, ['channel', 'channelvars', 'X'], true, 'any JSON'],
    ['no member', start, ['channel', 'nonsense'], false, 'no such member'],
    ['no member of a text', start, ['channel', 'name', 'x'], false, 'no such member'],
    ['a member of one of several', { type: { any: ['Dial', 'StasisStart'] } }, ['args'], true, 'a list, each a text'],
    ['no member that every object has by itself', start, ['constructor'], false, 'no such member'],
    ['no member of any of several', { type: { any: ['Dial', 'StasisEnd'] } }, ['args'], false, 'no such member'],
    ['a member of our own pictures', { type: 'PatchbayGap' }, ['reason'], true, 'a text'],
  ])('%s', (_, match, path, exists, wants) => {
    expect(describeMember(match, path)).toMatchObject({ exists, wants })
  })

  test('what there is instead of a misspelt member', () => {
    expect(describeMember(start, ['chanel'])?.siblings).toContain('channel')
    expect(describeMember(start, ['type'])?.known).toEqual(Object.keys(EVENTS))
  })

  test('nothing where the type is not', () => {
    expect(describeMember({ type: 'ChannelHologram' }, ['channel'])).toBeUndefined()
    expect(describeMember({}, ['channel'])).toBeUndefined()
  })

  test.each([
    [['timestamp'], '2026-11-20T15:45:07.110+0100', '2026-11-20 15:45:07'],
    [['args'], ['a'], 'a'],
    [['args'], [], [7]],
    [['channel'], { id: 'c', dialplan: { priority: 1 } }, { dialplan: { priority: '1' } }],
    [['channel', 'dialplan', 'priority'], 3, '3'],
    [['channel', 'channelvars'], { a: 'b' }, []],
  ])('which values %j can have', (path, fits, other) => {
    const found = describeMember(start, path)!
    expect([found.accepts(fits), found.accepts(other)]).toEqual([true, false])
  })
})

describe('faults of an event', () => {
  const channel = {
    id: 'c',
    name: 'n',
    state: 'Up',
    protocol_id: '',
    caller: { name: '', number: '' },
    connected: { name: '', number: '' },
    accountcode: '',
    dialplan: { context: 'd', exten: 's', priority: 1, app_name: '', app_data: '' },
    creationtime: '2026-11-20T15:45:07.110+0000',
    language: 'en',
  }
  const event = { type: 'StasisEnd', timestamp: '2026-11-20T15:45:07.110+0000', application: 'a', channel }

  test('are none where all is there, also with more than is known', () => {
    expect(eventFaults({ ...event, more: 1, channel: { ...channel, tenantid: 't', more: {} } })).toEqual([])
  })

  test.each([
    [{ ...event, channel: { ...channel, caller: { name: '' } } }, ['channel.caller.number']],
    [{ ...event, timestamp: 7 }, ['timestamp']],
    [{ ...event, channel: undefined }, ['channel']],
    [{ ...event, channel: 'x' }, ['channel']],
    [{ ...event, type: 'PatchbayChannels', channels: [channel, { ...channel, id: 7 }] }, ['channels.1.id']],
    [{ ...event, type: 'PatchbayChannels', channels: {} }, ['channels.0']],
    [{ type: 'Unheard' }, []],
    [{ type: 'constructor' }, []],
  ])('are named by their paths %#', (faulty, paths) => {
    expect(eventFaults(faulty)).toEqual(paths)
  })
})
