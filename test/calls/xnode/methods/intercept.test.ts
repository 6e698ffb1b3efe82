import { expect, test } from 'vitest'
import { fakeSite } from '../fake-site.js'

test('Stop takes the channel out of the talk, which stands', async () => {
  const id = 'conference-3000'
  const site = fakeSite((request, body) => {
    if (request.endsWith('addChannel'))
      site.tell(String(body.channel), { change: 'bridge', bridge: { id, members: ['b', 'c', 'a'] } })
    return request.startsWith('GET') ? { channels: ['a', 'b', 'c'] } : undefined
  })
  site.there('a', 'b', 'c')
  site.known.set('b', { id: 'b', state: 'answered', bridge: { id, members: ['b', 'c'] }, peers: ['c'] })
  const intercepting = site.ask('Intercept', { uuid: 'a', target_uuid: 'b' })
  await expect.poll(() => site.asked.at(-1)).toMatch(/^DELETE channels\/b/)
  expect(await site.ask('Stop', { uuid: 'a' })).toMatchObject({ code: 200 })
  expect(await intercepting).toMatchObject({ code: 206 })
  expect(site.asked.at(-1)).toBe(`POST bridges/${id}/removeChannel`)
  expect(site.asked.filter((each) => each.startsWith('DELETE bridges'))).toEqual([])
})
