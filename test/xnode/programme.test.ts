import { describe, expect, test } from 'vitest'
import { type Programme, programmeOf } from '../../src/calls/xnode/media.js'
import { loadSteering } from '../../src/calls/xnode/steering-file.js'
import type { SteeringTables } from '../../src/calls/xnode/tables.js'

const loaded = loadSteering('mappings/steering/asterisk.yaml')
if ('faults' in loaded) throw new Error('the shipped tables have faults')
const { tables } = loaded
const speaking: SteeringTables = {
  ...tables,
  speechOf: (text, engine, voice) => `sound:https://tts/${[engine, voice, text].map(encodeURIComponent).join('/')}`,
}

function read(media: object, from = tables): Programme {
  const programme = programmeOf(from, media, 'media')
  if ('refused' in programme) throw new Error(programme.refused.message)
  return programme.value
}

const uris = (media: object, from = tables) => read(media, from).media.map(({ uri }) => uri)

describe('media of a request', () => {
  test.each<readonly [data: string, want: readonly string[]]>([
    ['welcome.wav', ['sound:welcome']],
    ['file_string://a.wav!b.wav', ['sound:a', 'sound:b']],
    ['a!sound:b!tone_stream://%(100,0,400)', ['sound:a', 'sound:b', 'tone:400/100']],
    ['https://media.example/a!b.wav', ['sound:https://media.example/a!b.wav']],
    ['tone_stream://%(500,500,425);loops=2', ['tone:425/500,0/500']],
    ['say:abc!', ['characters:abc!']],
    ['digits:12*', ['digits:12*']],
    ['number:-5', ['number:-5']],
  ])('%s', (data, want) => {
    expect(uris({ data })).toEqual(want)
  })

  test('are spoken where somebody speaks', () => {
    const said = { type: 'TEXT', data: 'guten Tag', engine: 'e', voice: 'v' }
    expect(uris(said, speaking)).toEqual(['sound:https://tts/e/v/guten%20Tag'])
    expect(uris({ ...said, type: 'ssml' }, speaking)).toHaveLength(1)
    expect(uris({ data: 'say:hello' }, speaking)).toEqual(['sound:https://tts///hello'])
    expect(() => read(said)).toThrow('not possible on Asterisk')
  })

  test('begin with silence, leave a beginning out, and come again', () => {
    expect(read({ data: 'a!b', silence_ms: 12_500, offset: 8000, loop: 3 })).toEqual({
      media: [
        { uri: 'sound:silence/10', lastsMs: 10_000 },
        { uri: 'sound:silence/10', lastsMs: 2500 },
        { uri: 'sound:a', skipMs: 1000 },
        { uri: 'sound:b' },
      ],
      times: 3,
    })
    expect(read({ data: 'a', loop: 0 })).toEqual({ media: [{ uri: 'sound:a' }], times: 1 })
  })

  test.each([
    {},
    { data: '' },
    { data: '!' },
    { data: 'a\u0000b' },
    { data: '../a' },
    { data: 'recording:../../x' },
    { data: 'number:12x' },
    { data: `number:${'9'.repeat(20)}` },
    { data: 'digits:xyz' },
    { data: 'tone:a b' },
    { data: 'silence_stream://-1' },
    { data: 'silence_stream://999999999' },
    { data: `file_string://${'a!'.repeat(600)}` },
    { data: 'a', type: 'VIDEO' },
    { data: 'a', loop: 4_000_000_000 },
    { data: 'a', silence_ms: 4_000_000_000 },
  ])('are refused: %j', (media) => {
    expect(programmeOf(tables, media, 'media')).toMatchObject({
      refused: { code: 400, message: expect.stringMatching(/^media\./) },
    })
  })
})
