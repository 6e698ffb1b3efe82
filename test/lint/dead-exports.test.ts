import { expect, test } from 'vitest'
import { findDeadExports } from './dead-exports.js'

const TREE = {
  'src/index.ts': ["export { given } from './a.js'", "export * from './b.js'"],
  'src/a.ts': [
    'export const given = 1',
    'export function used() {}',
    '',
    'export interface Dead {}',
    'export type Own = 1',
    'const own: Own = 1',
    'export const alone = own',
    'alone()',
  ],
  'src/b.ts': ['export const whole = 1'],
  'src/inner/index.ts': ["export { passedOn } from './c.js'"],
  'src/inner/c.ts': ['export async function passedOn() {}', 'export const tested = 1'],
  'test/a.test.ts': ['used()', 'tested'],
}

test('an export is dead when only an inner index names it, or its own file in case of a value', () => {
  const tree = new Map(Object.entries(TREE).map(([file, lines]) => [file, lines.join('\n')]))
  expect(findDeadExports(tree, ['src/index.ts'])).toEqual([
    { file: 'src/a.ts', line: 4, name: 'Dead' },
    { file: 'src/a.ts', line: 7, name: 'alone' },
    { file: 'src/inner/c.ts', line: 1, name: 'passedOn' },
  ])
})
