import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePatterns, unknownHoles } from '../../../src/calls/xnode/patterns.js'
import { loadSteering } from '../../../src/calls/xnode/steering-file.js'
import { formatFault } from '../../../src/config/index.js'

function opened(path: string) {
  const loaded = loadSteering(path)
  if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'))
  return loaded.tables
}

describe('rows', () => {
  const say = compilePatterns([
    ['user/{number}', 'PJSIP/{number}'],
    ['gw/{gateway}/{number}', '{number}@{gateway}'],
    ['file:{path*}.wav', 'sound:{path}'],
    ['raw {rest*}', '{rest*}'],
    ['exact', 'same'],
  ])
  test.each<readonly [string, string | undefined]>([
    ['user/1000', 'PJSIP/1000'],
    ['user/', undefined],
    ['user/10/00', undefined],
    ['user/a@b', undefined],
    ['xuser/1000', undefined],
    ['gw/trunk/5550', '5550@trunk'],
    ['gw/trunk/', undefined],
    ['file:a/b.wav', 'sound:a/b'],
    ['file:a.wav.wav', 'sound:a.wav'],
    ['file:.wav', undefined],
    ['raw {rest*}', '{rest*}'],
    ['exact', 'same'],
    ['exactly', undefined],
    ['', undefined],
  ])('%s is said as %s', (text, said) => {
    expect(say(text)).toBe(said)
  })

  test('give a text back that is taken apart and put together again', () => {
    const again = compilePatterns([['{a}/{b}@{c*}', '{a}/{b}@{c}']])
    const part = fc.stringMatching(/^[^/@]{1,20}$/)
    fc.assert(
      fc.property(part, part, fc.string({ minLength: 1 }), (a, b, c) => {
        expect(again(`${a}/${b}@${c}`)).toBe(`${a}/${b}@${c}`)
      }),
    )
    // Were steps taken back, this would not end.
    expect(compilePatterns([['{a*}x{b*}x{c*}x{d*}y', '']])('x'.repeat(1_000_000))).toBeUndefined()
  })

  test('name only what their pattern has', () => {
    expect(unknownHoles(['a/{b}', '{b}/{c}{d*}'])).toEqual(['c', 'd'])
  })
})

describe('a steering file', () => {
  test('of a site says its own dial strings, speech, codes and places', () => {
    const tables = opened('test/fixtures/mappings/site/steering.yaml')
    expect(tables.endpointOf('sofia/gateway/x/5550')).toBe('PJSIP/5550@trunk-x')
    expect(tables.endpointOf('PJSIP/1000')).toBeUndefined()
    expect(['https://h/a.wav', 'a.wav'].map(tables.mediaOf)).toEqual(['sound:https://h/a.wav', 'sound:a'])
    expect(tables.speechOf('a b&c', '', 'é')).toBe('sound:https://tts.example/say.wav?voice=%C3%A9&text=a%20b%26c')
    expect([tables.codeOf('USER_BUSY'), tables.codeOf('CALL_REJECTED'), tables.codeOf('toString')]).toEqual([
      486, 500, 500,
    ])
    expect(tables.placeOf('fifo', 'sales')).toEqual({ context: 'queues', extension: 'sales', priority: 1 })
    expect(tables.placeOf('app', 'voicemail')).toMatchObject({ extension: 'voicemail' })
    for (const [hook, name] of [
      ['app', 'other'],
      ['callcenter', 'sales'],
      ['__proto__', 'x'],
      ['app', 'constructor'],
    ] as const)
      expect(tables.placeOf(hook, name)).toBeUndefined()
  })

  test('that ships knows causes by name and by number', () => {
    const tables = opened('mappings/steering/asterisk.yaml')
    expect(['USER_BUSY', '17', '0017', 'BUSYISH'].map((name) => tables.causeNumber(name))).toEqual([
      17,
      17,
      undefined,
      undefined,
    ])
    expect(tables.speechOf('hello', '', '')).toBeUndefined()
  })

  test('tells every fault at once, with its place and what would be right', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'patchbay-steering-')), 'bad.yaml')
    writeFileSync(
      path,
      `steering: v1
dial-strings:
  - ['user/{number}', 'PJSIP/{nummber}']
  - ['x']
media: []
codes: { USER_BUSI: 486, OTHER: 7 }
hoks: {}
`,
    )
    const loaded = loadSteering(path)
    const lines = 'faults' in loaded ? loaded.faults.map(formatFault) : []
    expect(lines.map((line) => line.slice(path.length + 1))).toEqual([
      '3:5: config.value: {nummber} stands for nothing; one of the names of user/{number}',
      "4:5: config.value: this is no row; want two texts, such as ['user/{number}', 'PJSIP/{number}']",
      '6:21: config.value: no hangup cause is called USER_BUSI; did you mean USER_BUSY?',
      '6:33: config.value: `codes.OTHER` is the number 7; want a whole number 400–699',
      '7:1: config.unknown-key: nobody reads the key `hoks` here; did you mean `hooks`?',
    ])
  })

  test('that is not there is a fault, too', () => {
    const loaded = loadSteering('/nowhere/steering.yaml')
    expect('faults' in loaded && loaded.faults.map(({ code, what }) => [code, what])).toEqual([
      ['config.file', 'the file cannot be read (ENOENT)'],
    ])
  })
})
