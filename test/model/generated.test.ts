import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generatedFiles } from '../tools/generated-files.js'

test.each([...generatedFiles()])('%s is what it is made from', (path, text) => {
  expect(readFileSync(path, 'utf8')).toBe(text)
})
