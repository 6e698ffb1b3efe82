import { expect, onTestFinished, test, vi } from 'vitest'
import { type ConnectionUse, keepConnection } from '../../../src/transports/ari-client/connection.js'
import { makeRest } from '../../../src/transports/ari-client/rest.js'
import { startFakeAsterisk } from './fake-asterisk.js'

test('a socket that is closed while somebody still sets it up is lost to its user', async () => {
  const fake = await startFakeAsterisk()
  const config = { url: fake.url, credentials: { username: 'u', password: 'p' }, app: 'patchbay', node: 'n' }
  const rest = makeRest(config)
  onTestFinished(async () => {
    await rest.close()
    await fake.stop()
  })
  const story: string[] = []
  const note = (what: string) => () => void story.push(what)
  const use: ConnectionUse = {
    opened: note('opened'),
    frame: () => undefined,
    heard: () => undefined,
    setUp: () => new Promise(() => undefined),
    up: note('up'),
    lost: note('lost'),
    mayTakeBack: () => true,
    report: ({ kind }) => void story.push(kind),
  }
  const kept = keepConnection(config, rest, use)
  await vi.waitFor(() => expect(story).toEqual(['opened']))
  await kept.close()
  expect(story).toEqual(['opened', 'lost'])
  await expect(kept.opened).rejects.toMatchObject({ code: 'gateway.stopping' })
})
