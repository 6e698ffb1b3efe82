import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { recordReads } from '../../../src/gateway/rules/record.js'
import { watchFiles } from '../../../src/gateway/rules/watcher.js'
import { ownFolder } from './files.js'

const EVERY_MS = 50

/** Files that a text names, as a configuration does. */
const namesIn = (text: string) => (text.startsWith('/') ? text.split('\n') : [])

/** A watcher of files; what it was given to judge, one text or error code for each file. */
function watching(paths: readonly string[], texts: readonly string[], everyMs = EVERY_MS) {
  const judged: string[][] = []
  const watcher = watchFiles({
    everyMs,
    known: new Map(paths.map((path, at) => [path, texts[at]])),
    judge(read) {
      const recorder = recordReads(read)
      const named = () => (paths[0] === undefined ? [] : namesIn(textOf(paths[0])))
      const textOf = (path: string) => {
        try {
          return recorder.read(path)
        } catch (error) {
          return String((error as NodeJS.ErrnoException).code)
        }
      }
      const texts = [...paths, ...named()].map(textOf)
      return {
        seen: recorder.seen,
        async carryOut() {
          judged.push(texts)
          return recorder.seen
        },
      }
    },
  })
  onTestFinished(() => watcher.stop())
  watcher.start()
  return { watcher, judged }
}

const turns = (count: number) => delay(count * EVERY_MS)

test('a file that stays the same is not judged, one that changes is, once', async () => {
  const file = join(ownFolder(), 'a')
  writeFileSync(file, 'one')
  const { judged } = watching([file], ['one'])
  await turns(4)
  expect(judged).toEqual([])
  writeFileSync(file, 'two')
  await expect.poll(() => judged).toEqual([['two']])
  await turns(6)
  expect(judged).toEqual([['two']])
})

test('a file that was changed before the first look is judged', async () => {
  const file = join(ownFolder(), 'a')
  writeFileSync(file, 'two')
  const { judged } = watching([file], ['one'])
  await expect.poll(() => judged).toEqual([['two']])
})

test('the links of a ConfigMap are followed: all files change at once', async () => {
  const folder = ownFolder()
  const names = ['a', 'b', 'c']
  const generation = (name: string, text: string) => {
    mkdirSync(join(folder, name))
    for (const each of names) writeFileSync(join(folder, name, each), text)
    symlinkSync(name, join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  }
  generation('..2026_1', 'one')
  for (const name of names) symlinkSync(join('..data', name), join(folder, name))
  const { judged } = watching(
    names.map((name) => join(folder, name)),
    ['one', 'one', 'one'],
  )
  await turns(2)
  generation('..2026_2', 'two')
  await expect.poll(() => judged).toEqual([['two', 'two', 'two']])
  generation('..2026_3', 'three')
  await expect.poll(() => judged.at(-1)).toEqual(['three', 'three', 'three'])
  expect(judged).toHaveLength(2)
})

test('nothing is judged while somebody writes', async () => {
  const file = join(ownFolder(), 'a')
  writeFileSync(file, '')
  const { judged } = watching([file], [''])
  for (let size = 1; size <= 60; size++) {
    writeFileSync(file, 'x'.repeat(size))
    await delay(EVERY_MS / 10)
  }
  await expect.poll(() => judged).toEqual([['x'.repeat(60)]])
})

test('a file that goes and comes again is judged both times', async () => {
  const file = join(ownFolder(), 'a')
  writeFileSync(file, 'one')
  const { judged } = watching([file], ['one'])
  unlinkSync(file)
  await expect.poll(() => judged).toEqual([['ENOENT']])
  await turns(4)
  writeFileSync(file, 'one')
  await expect.poll(() => judged).toEqual([['ENOENT'], ['one']])
})

test('who is told to look does so at once, also where nothing changed; with 0 nothing else makes it look', async () => {
  const file = join(ownFolder(), 'a')
  writeFileSync(file, 'one')
  const { watcher, judged } = watching([file], ['one'], 0)
  writeFileSync(file, 'two')
  await turns(6)
  expect(judged).toEqual([])
  await watcher.look()
  await watcher.look()
  expect(judged).toEqual([['two'], ['two']])
})

test('a file that is named for the first time is judged once nobody writes it any more', async () => {
  const folder = ownFolder()
  const [file, late] = [join(folder, 'a'), join(folder, 'b')]
  writeFileSync(file, 'one')
  writeFileSync(late, '')
  const { judged } = watching([file], ['one'])
  writeFileSync(file, late)
  for (let size = 1; size <= 100; size++) {
    writeFileSync(late, 'x'.repeat(size))
    await delay(EVERY_MS / 10)
  }
  await expect.poll(() => judged).toEqual([[late, 'x'.repeat(100)]])
  writeFileSync(late, 'y')
  await expect.poll(() => judged.at(-1)).toEqual([late, 'y'])
})

test('what stops while it looks judges nothing any more', async () => {
  const file = join(ownFolder(), 'a')
  writeFileSync(file, 'one')
  const { watcher, judged } = watching([file], ['one'], 0)
  const looked = watcher.look()
  watcher.stop()
  await looked
  expect(judged).toEqual([])
})
