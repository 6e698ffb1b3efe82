import { expect, onTestFinished, test } from 'vitest'
import { takePictures } from '../../../src/transports/ari-client/pictures.js'
import { makeRest } from '../../../src/transports/ari-client/rest.js'
import { watchEvents } from '../../../src/transports/ari-client/seen.js'
import { channel, startFakeAsterisk } from './fake-asterisk.js'
import { ids } from './link.js'

test('who is known to be dead is in no picture and not asked for; who is not even listed may be forgotten', async () => {
  const fake = await startFakeAsterisk()
  const config = {
    url: fake.url,
    credentials: { username: 'u', password: 'p' },
    app: 'patchbay',
    node: 'n',
    subscribe: { all: false },
  }
  const rest = makeRest(config)
  onTestFinished(async () => {
    await rest.close()
    await fake.stop()
  })
  fake.channels = [channel('live'), channel('ghost')]
  fake.application.channel_ids.push('live', 'ghost', 'unseen-ghost')
  const known = { devices: new Set<string>(), dead: new Set(['ghost', 'unseen-ghost', 'past']) }
  const pictures = await takePictures(config, rest, watchEvents(), known)
  expect(ids(pictures.channels)).toEqual(['live'])
  expect(pictures.own).toEqual(['live'])
  expect(pictures.forgotten).toEqual(['past'])
  expect(fake.requests.filter(({ path }) => path === '/channels/ghost/variable')).toEqual([])
})
