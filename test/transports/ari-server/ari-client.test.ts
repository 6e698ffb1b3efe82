import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Client, connect, type Instance, type Operation } from 'ari-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Stand, stand } from './stand.js'
import { APP, channel, destroyed, end, entered, left, start, stateChange } from './story.js'

let server: Stand
let client: Client
beforeEach(async () => {
  server = await stand()
  client = await connect(server.base, 'bridge', 'bridge')
})
afterEach(async () => {
  await server.stop()
})

const operation = (resource: string, name: string) => (client[resource] as Record<string, Operation>)[name]!

test('the npm ari-client follows a call from StasisStart to StasisEnd', async () => {
  const heard: [string, Instance | Record<string, Instance>][] = []
  client.on('*', (event, instance) => heard.push([String(event.type), instance]))
  await client.start(APP)
  await server.tell(
    start('c1'),
    stateChange('c1', 'Up'),
    entered('c1', 'b1'),
    left('c1', 'b1'),
    end('c1'),
    destroyed('c1'),
  )
  await expect.poll(() => heard.length).toBe(5)
  expect(heard.map(([type]) => type)).toEqual([
    'StasisStart',
    'ChannelStateChange',
    'ChannelEnteredBridge',
    'ChannelLeftBridge',
    'StasisEnd',
  ])
  expect(heard[0]![1]).toMatchObject(channel('c1', 'Ring'))
  expect(heard[1]![1]).toMatchObject({ id: 'c1', state: 'Up' })
  expect(heard[2]![1]).toMatchObject({ channel: { id: 'c1' }, bridge: { id: 'b1', channels: ['c1'] } })
  client.stop()
})

test('listeners of one channel of the npm ari-client hear that channel alone', async () => {
  const states: string[] = []
  client.on('StasisStart', (_, instance) => {
    if (instance.id === 'c1')
      instance.on('ChannelStateChange', (_event, { id, state }) => states.push(`${id} ${state}`))
  })
  const ended = new Promise((resolve) => client.on('StasisEnd', resolve))
  await client.start([APP, 'another'])
  await server.tell(start('c1'), start('c2'))
  await server.tell(stateChange('c2', 'Ringing'), stateChange('c1', 'Ringing'), stateChange('c1', 'Up'), end('c1'))
  await ended
  expect(states).toEqual(['c1 Ringing', 'c1 Up'])
  client.stop()
})

test('the npm ari-client reads channels and learns that it cannot steer them', async () => {
  await client.start(APP)
  await server.tell(start('c1'))
  expect(await operation('channels', 'list')()).toMatchObject([{ id: 'c1', caller: { number: '1001' } }])
  expect(await operation('channels', 'get')({ channelId: 'c1' })).toMatchObject(channel('c1', 'Ring'))
  const named = await operation('channels', 'getChannelVar')({ channelId: 'c1', variable: 'CALLERID(num)' })
  expect(named).toEqual({ value: '1001' })
  await expect(operation('channels', 'answer')({ channelId: 'c1' })).rejects.toThrow(/watched here, not steered/)
  await expect(operation('channels', 'get')({ channelId: 'c9' })).rejects.toThrow(/^\{"message":"Channel not found"\}$/)
  await expect(operation('channels', 'answer')({ channelId: 'c9' })).rejects.toThrow(
    /^\{"message":"Channel not found"\}$/,
  )
  client.stop()
})

test('the npm ari-client learns that an application is unknown', async () => {
  await client.start(APP)
  const unknown = { applicationName: 'nobody', eventSource: 'deviceState:a', filter: {} }
  for (const name of ['get', 'subscribe', 'filter']) {
    await expect(operation('applications', name)(unknown), name).rejects.toThrow(
      /^\{"message":"Application not found"\}$/,
    )
  }
  client.stop()
})

test('the npm ari-client sets a filter and sends user events', async () => {
  await client.start(APP)
  const told = new Promise<Record<string, unknown>>((resolve) => client.on('ChannelUserevent', resolve))
  const filtered = await operation(
    'applications',
    'filter',
  )({
    applicationName: APP,
    filter: { disallowed: [{ type: 'ChannelVarset' }] },
  })
  expect(filtered).toMatchObject({ name: APP, events_disallowed: [{ type: 'ChannelVarset' }] })
  await operation('events', 'userEvent')({ eventName: 'Ours', application: APP, variables: { a: 'b' } })
  expect(await told).toMatchObject({ eventname: 'Ours', userevent: { a: 'b', eventname: 'Ours' } })
  client.stop()
})

/** The client throws what nobody can catch when its password is wrong, so it does that in a process of its own. */
async function connectElsewhere(password: string): Promise<{ code: number | null; stderr: string }> {
  const script = `
    require('ari-client').connect(${JSON.stringify(server.base)}, 'bridge', ${JSON.stringify(password)}).then(
      (client) => client.start('x').then(() => process.exit(0)),
      (error) => console.error('rejected: ' + error),
    )`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, stderr }
}

test('the npm ari-client is refused with a wrong password as an Asterisk refuses it', async () => {
  expect(await connectElsewhere('bridge')).toMatchObject({ code: 0 })
  const refused = await connectElsewhere('wrong')
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toContain('401')
})
