import { describe, expect, test } from 'vitest'
import { fakeSite, refused, settled } from '../fake-site.js'

const ways = [
  ['MediaFork', { action: 'start', url: 'rtp://127.0.0.1:4000' }, 'fork-a', 'patchbay-ear-fork-a-ear'],
  ['Echo2', { action: 'START' }, 'patchbay-echo-a', 'patchbay-ear-patchbay-echo-a-in'],
] as const

describe.each(ways)('%s', (method, params, bridge, ear) => {
  const start = { uuid: 'a', ...params }

  test('is refused where there is one, and leaves that alone', async () => {
    const site = fakeSite((request) => (request.startsWith('POST bridges') ? refused(409) : { channels: ['a', ear] }))
    site.there('a')
    expect(await site.ask(method, start)).toMatchObject({ code: 400, message: expect.stringContaining('already') })
    expect(site.asked.filter((each) => each.startsWith('DELETE'))).toEqual([])
  })

  test('takes its bridge away where the ear cannot be made', async () => {
    const site = fakeSite((request) => {
      if (request.includes('snoop')) return refused(409)
      return /^(GET|DELETE channels)/.test(request) ? refused(404) : undefined
    })
    site.there('a')
    const result = await site.ask(method, start)
    expect(result.code).toBe(400)
    expect(result.message).not.toContain('already')
    expect(site.asked).toContain(`DELETE bridges/${bridge}`)
  })

  test('is stopped once its ear is gone', async () => {
    const site = fakeSite((request) => (request.startsWith('GET') ? refused(404) : undefined))
    site.there('a')
    let isDone = false
    const stopping = site.ask(method, { uuid: 'a', action: 'STOP' }).then((result) => {
      isDone = true
      return result
    })
    await settled()
    expect(site.asked).toContain(`DELETE channels/${ear}`)
    expect(isDone).toBe(false)
    for (const id of [ear, 'patchbay-ear-fork-a-media', 'patchbay-ear-patchbay-echo-a-out'])
      site.tell(id, { state: 'ended' })
    expect(await stopping).toMatchObject({ code: 200 })
    expect(site.node.open()).toBe(0)
  })
})
