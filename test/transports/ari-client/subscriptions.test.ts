import { setTimeout as delay } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { channel, event, type FakeAsterisk, startFakeAsterisk } from './fake-asterisk.js'
import { standingLink, told } from './link.js'

/** Changes of subscriptions that the fake was asked for. */
const changes = (fake: FakeAsterisk) =>
  fake.requests
    .filter(({ path }) => path.endsWith('/subscription'))
    .map(({ method, query }) => `${method} ${query.eventSource}`)

const faults = (heard: Awaited<ReturnType<typeof standingLink>>['heard']) =>
  heard.of('fault').map(({ error }) => error.message)

test('with everything subscribed to, nothing is subscribed to twice', async () => {
  const { fake, heard } = await standingLink()
  fake.tell(event('StasisStart', { channel: channel('c1'), args: [] }))
  fake.tell(event('Next'))
  await vi.waitFor(() => expect(told(heard, 'Next')).toHaveLength(1))
  expect(changes(fake)).toEqual([])
  expect(faults(heard)).toEqual([])
})

test('what was chosen is subscribed to once, a technology before its endpoints', async () => {
  const { fake } = await standingLink({
    subscribe: {
      all: false,
      endpoints: ['PJSIP/1001', 'PJSIP', 'PJSIP/1001', 'IAX2/x'],
      deviceStates: ['Custom:door'],
      bridges: 'all',
    },
  })
  expect(fake.upgrades[0]?.query).toEqual({ app: 'patchbay' })
  expect(changes(fake)).toEqual([
    'POST bridge:',
    'POST endpoint:PJSIP',
    'POST endpoint:IAX2/x',
    'POST deviceState:Custom:door',
  ])
})

test.each(['StasisStart', 'CallBroadcast', 'CallClaimed'])(
  'a channel that %s tells of is followed to its end',
  async (type) => {
    const { fake } = await standingLink({ subscribe: { all: false } })
    fake.tell(event(type, { channel: channel('c1') }))
    fake.tell({ ...event(type, { channel: channel('c2') }), application: 'other' })
    await vi.waitFor(() => expect(changes(fake)).toEqual(['POST channel:c1']))
  },
)

test('what an application has already is not asked for again, what it has too much is ended as often as it was begun', async () => {
  const fake = await startFakeAsterisk()
  const { heard } = await standingLink(
    { subscribe: { all: false, endpoints: ['PJSIP/1001'], deviceStates: ['Custom:a'] } },
    fake,
  )
  // Somebody else subscribed twice; the next connect finds it.
  for (let times = 0; times < 2; times++) {
    await fetch(`${fake.url}/ari/applications/patchbay/subscription?eventSource=endpoint:PJSIP/1002`, {
      method: 'POST',
    })
  }
  fake.requests.length = 0
  fake.cut()
  await heard.until('up', 2)
  expect(changes(fake)).toEqual([
    'DELETE endpoint:PJSIP/1002',
    'DELETE endpoint:PJSIP/1002',
    'DELETE endpoint:PJSIP/1002',
  ])
  expect(fake.application.endpoint_ids).toEqual(['PJSIP/1001'])
})

test('an application that survived without being subscribed to everything is repaired, and that is said', async () => {
  const fake = await startFakeAsterisk()
  fake.answer = ({ path, query }) => {
    // The flag counts for a new application only.
    if (path === '/events') delete (query as Record<string, string>).subscribeAll
    return undefined
  }
  fake.application.endpoint_ids.push('PJSIP/1001')
  fake.application.device_names.push('Custom:a')
  const { heard } = await standingLink({}, fake)
  expect(changes(fake)).toEqual([
    'POST channel:',
    'POST bridge:',
    'POST endpoint:',
    'POST deviceState:',
    'DELETE endpoint:PJSIP/1001',
    'DELETE endpoint:PJSIP/1001',
    'DELETE deviceState:Custom:a',
    'DELETE deviceState:Custom:a',
  ])
  expect(faults(heard)).toEqual([expect.stringMatching(/"patchbay" was there before.*subscribing anew/)])
})

test('an endpoint that does not exist is said and does no harm', async () => {
  const { heard } = await standingLink({ subscribe: { all: false, endpoints: ['PJSIP/none', 'PJSIP/1001'] } })
  expect(faults(heard)).toEqual([
    'cannot subscribe to "endpoint:PJSIP/none": POST /applications/patchbay/subscription: 422 Event source does not exist',
  ])
})

test('every channel that enters the application is subscribed to, so that its end is heard after it left', async () => {
  const { fake, heard } = await standingLink({ subscribe: { all: false } })
  fake.tell(event('StasisStart', { channel: channel('c1'), args: [] }))
  fake.tell({ ...event('StasisStart', { channel: channel('c2'), args: [] }), application: 'another' })
  fake.tell(event('StasisEnd', { channel: channel('c3') }))
  await vi.waitFor(() => expect(changes(fake)).toEqual(['POST channel:c1']))
  expect(faults(heard)).toEqual([])
})

test('a channel that is gone before it could be subscribed to is ended by a picture without it', async () => {
  const { fake, heard } = await standingLink({ subscribe: { all: false } })
  for (let times = 0; times < 3; times++) fake.tell(event('StasisStart', { channel: channel('none'), args: [times] }))
  await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(2), 3000)
  expect(told(heard, 'PatchbayChannels')[1]?.channels).toEqual([])
  expect(told(heard, 'PatchbayGap')).toEqual([])
})

test('one dead channel that Asterisk goes on listing among very many costs one picture more, not pictures without end', async () => {
  const fake = await startFakeAsterisk()
  const living = Array.from({ length: 301 }, (_, at) => channel(`c${at}`))
  fake.channels = [...living, channel('none')]
  fake.application.channel_ids.push(...living.map(({ id }) => id), 'none')
  const { heard } = await standingLink({ subscribe: { all: false } }, fake)
  expect(told(heard, 'PatchbayChannels')[0]?.channels).toHaveLength(302)
  await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(2), 3000)
  expect(told(heard, 'PatchbayChannels')[1]?.channels).toEqual(living)
  await delay(1500)
  expect(told(heard, 'PatchbayChannels')).toHaveLength(2)
})

test('a channel that is gone before it could be subscribed to is no fault; another refusal is, after some tries', async () => {
  const { fake, heard } = await standingLink({ subscribe: { all: false } })
  fake.tell(event('StasisStart', { channel: channel('none'), args: [] }))
  await vi.waitFor(() => expect(changes(fake)).toEqual(['POST channel:none']))
  fake.answer = ({ path }) => (path.endsWith('/subscription') ? { status: 500, body: { error: 'no' } } : undefined)
  fake.tell(event('StasisStart', { channel: channel('c2'), args: [] }))
  await heard.until('fault', 1)
  expect(changes(fake)).toEqual(['POST channel:none', 'POST channel:c2', 'POST channel:c2', 'POST channel:c2'])
  expect(faults(heard)).toEqual([expect.stringContaining('the end of channel "c2" may go unheard')])
})

test('channels found in the application after a reconnect are subscribed to again', async () => {
  const { fake, heard } = await standingLink({ subscribe: { all: false } })
  fake.channels = [channel('c1'), channel('c2'), channel('elsewhere')]
  fake.application.channel_ids.push('c1', 'c2', 'gone')
  fake.cut()
  await heard.until('up', 2)
  await vi.waitFor(() => expect(changes(fake).sort()).toEqual(['POST channel:c1', 'POST channel:c2']))
})

test('the filter is set before anything else, also to nothing', async () => {
  const { fake } = await standingLink({ eventFilter: { allowed: [], disallowed: [] } })
  expect(fake.requests[1]).toMatchObject({ method: 'PUT', body: { allowed: [], disallowed: [] } })
})

test('an application that Asterisk knows only a moment later is waited for', async () => {
  const fake = await startFakeAsterisk()
  let times = 0
  fake.answer = ({ path }) =>
    path.endsWith('/eventFilter') && ++times < 3
      ? { status: 404, body: { message: 'Application not found' } }
      : undefined
  const { heard } = await standingLink({}, fake)
  expect(times).toBe(3)
  expect(heard.of('reconnecting')).toEqual([])
})
