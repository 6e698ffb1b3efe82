import { expect, test } from 'vitest'
import { GatewayError } from '../../../src/errors.js'
import { fakeSite } from './fake-site.js'

const tooLarge = new GatewayError('link.too-large', 'POST /channels/a/variable is not sent: its body has 50000 bytes')
const noWay = new GatewayError('link.lost', 'nobody there', {
  fate: 'retry',
  cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
})

test.each([
  ['a request that must not be sent is the fault of who asked for it', tooLarge, 400, '50000 bytes'],
  ['one that could not be sent is that of the link', noWay, 500, 'out of reach'],
])('%s', async (_, error, code, text) => {
  const site = fakeSite((request) => (request.startsWith('POST') ? error : undefined))
  site.there('a')
  const result = await site.ask('SetVar', { uuid: 'a', data: { x: '1' } })
  expect(result).toMatchObject({ code, message: expect.stringContaining(text) })
})
