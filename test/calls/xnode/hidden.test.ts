import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { listenerId } from '../../../src/calls/xnode/record-request.js'
import { fakeSite, refused } from './fake-site.js'

const NAME = 'talk'
const listener = listenerId('a', NAME)
const gone = `DELETE channels/${listener}`
const snooped = `POST channels/a/snoop/${listener}`

test('a channel that listens is ended once, and the next one of its name is made when it is gone', async () => {
  let go: () => void = () => undefined
  const held = new Promise<void>((resolve) => (go = resolve))
  const site = fakeSite((request) => {
    if (request === gone) return held
    return request.startsWith('GET') ? refused(404) : undefined
  })
  site.there('a')
  const finished = { kind: 'recording', name: NAME, channel: listener, state: 'finished' } as const
  site.note(finished, finished)
  const starting = site.ask('Record', { uuid: 'a', action: 'START', path: `${NAME}.wav` })
  await delay(50)
  expect(site.asked.filter((each) => each === gone)).toHaveLength(1)
  expect(site.asked).not.toContain(snooped)
  go()
  site.tell(listener, { state: 'ended' })
  await expect.poll(() => site.asked).toContain(snooped)
  expect(site.asked.filter((each) => each === gone)).toHaveLength(1)
  site.node.lost()
  await starting
})
