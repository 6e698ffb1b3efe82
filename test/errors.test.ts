import { expect, test } from 'vitest'
import { GatewayError } from '../src/errors.js'

test.each([
  ['codec.malformed', false],
  ['mapping.message', false],
  ['link.lost', true],
  ['state.store', true],
] as const)('%s tells where in our code it was made: %s', (code, tells) => {
  expect(new GatewayError(code, 'text').stack?.includes('errors.test')).toBe(tells)
  // Whatever fails next tells it as before.
  expect(new Error('text').stack).toContain('errors.test')
})
