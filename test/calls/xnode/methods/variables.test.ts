import { expect, test } from 'vitest'
import { GatewayError } from '../../../../src/errors.js'
import { fakeSite, refused } from '../fake-site.js'

test('a call is accepted although its variables cannot be read', async () => {
  const site = fakeSite((request) =>
    request.startsWith('GET') ? new GatewayError('link.lost', 'no answer', { fate: 'retry' }) : undefined,
  )
  site.there('a')
  expect(await site.ask('Accept', { uuid: 'a', channel_params: ['x'] })).toMatchObject({ code: 200 })
  expect(site.known.get('a')?.controller).toBe('c1')
})

test('a variable that has no value yet is told once it has one', async () => {
  const bodies: unknown[] = []
  const site = fakeSite((request, body) => {
    if (request.startsWith('POST')) bodies.push(body)
    return request.startsWith('GET') ? refused(404) : undefined
  })
  site.there('a')
  await site.ask('Accept', { uuid: 'a', channel_params: ['x'] })
  await site.ask('SetVar', { uuid: 'a', data: { x: '1', y: '2' } })
  expect(bodies).toEqual([
    { variable: 'x', value: '1', report_events: true },
    { variable: 'y', value: '2' },
  ])
})
