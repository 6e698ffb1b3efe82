import { expect, test } from 'vitest'
import { fakeSite, refused, settled } from './fake-site.js'

const ended = { state: 'ended', cause: { name: 'NORMAL_CLEARING' } } as const
const play = { uuid: 'a', media: { data: 'x' } }

test('a command that waits for its turn is 410 when its channel ends meanwhile', async () => {
  const site = fakeSite()
  site.there('a')
  const results = [site.ask('Play', play), site.ask('Play', play)]
  await settled()
  site.tell('a', ended)
  expect(await Promise.all(results)).toMatchObject([
    { code: 410, cause: 'NORMAL_CLEARING' },
    { code: 410, cause: 'NORMAL_CLEARING' },
  ])
  expect(site.node.open()).toBe(0)
})

test('a result with a cause of its own says more than the end of the channel', async () => {
  const site = fakeSite((request) => {
    if (request === 'POST channels/create') site.tell('leg', { state: 'ended', cause: { name: 'USER_BUSY' } })
    if (request.startsWith('DELETE channels/a')) site.tell('a', ended)
    return undefined
  })
  site.there('a')
  const destination = { call_params: [{ uuid: 'leg', dial_string: 'user/1' }] }
  expect(await site.ask('Bridge', { uuid: 'a', destination })).toMatchObject({ code: 500, cause: 'USER_BUSY' })
})

test('what is begun while the link is away is lost at once; afterwards it is heard again', async () => {
  const site = fakeSite((request) => (request.startsWith('GET channels/a') ? { state: 'Up' } : undefined))
  site.there('a')
  site.node.lost()
  expect(await site.ask('Play', play)).toMatchObject({ code: 500, message: expect.stringContaining('lost') })
  expect(await site.ask('Hangup', { uuid: 'a' })).toMatchObject({ code: 200 })
  site.node.back()
  const playing = site.ask('Play', play)
  await settled()
  site.tell('a', ended)
  expect(await playing).toMatchObject({ code: 410 })
})

test('a node that has stopped loses whatever is begun, link or not', async () => {
  const site = fakeSite((request) => (request.startsWith('GET channels/a') ? { state: 'Up' } : undefined))
  site.there('a')
  site.node.stop()
  site.node.back()
  expect(await site.ask('Play', play)).toMatchObject({ code: 500, message: expect.stringContaining('lost') })
})

test('UnBridge that Asterisk refuses leaves nothing behind', async () => {
  const site = fakeSite(() => refused(500))
  site.known.set('a', { id: 'a', bridge: { id: 'x' }, controller: 'c1' })
  expect(await site.ask('UnBridge', { uuid: 'a' })).toMatchObject({ code: 500 })
  expect(site.node.open()).toBe(0)
})
