import { describe, expect, test } from 'vitest'
import { controllersBelow, type Result, requestDesk } from '../../src/calls/xnode/index.js'
import { programmeOf } from '../../src/calls/xnode/media.js'
import { compilePatterns, type PatternRow } from '../../src/calls/xnode/patterns.js'
import { recordRequestOf } from '../../src/calls/xnode/record-request.js'
import { loadSteering } from '../../src/calls/xnode/steering-file.js'
import type { SteeringTables } from '../../src/calls/xnode/tables.js'
import { formatFault, shippedMapping } from '../../src/config/index.js'
import { fakeSite } from '../calls/xnode/fake-site.js'

function shipped(): SteeringTables {
  const loaded = loadSteering(shippedMapping('steering/asterisk.yaml'))
  if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'))
  return loaded.tables
}

const uris = (tables: SteeringTables, data: string) => {
  const read = programmeOf(tables, { data }, 'media')
  return 'refused' in read ? undefined : read.value.media.map(({ uri }) => uri)
}

describe('what Asterisk fetches', () => {
  const URLS = [
    'http://h/a.wav',
    'https://h/a',
    'sound:http://h/a.wav',
    'HTTP://h/a',
    'ftp://h/a.wav',
    'recording:http://h/a',
  ]
  const ROWS: readonly PatternRow[] = [
    ['sound:{name*}', 'sound:{name*}'],
    ['recording:{name*}', 'recording:{name*}'],
    ['{file*}.wav', 'sound:{file*}'],
    ['{file*}', 'sound:{file*}'],
  ]
  const local: SteeringTables = { ...shipped(), mediaOf: compilePatterns(ROWS) }

  test.each(URLS)('%s is fetched from nowhere where the tables name no scheme', (data) => {
    expect(uris(local, data)).toBeUndefined()
    expect(uris(local, `file_string://hello!${data}`)).toBeUndefined()
  })

  test('the shipped tables let HTTP and HTTPS through as they stand there, and no other scheme', () => {
    const tables = shipped()
    expect(URLS.map((data) => uris(tables, data))).toEqual([
      ['sound:http://h/a.wav'],
      ['sound:https://h/a'],
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect(uris(tables, 'https://h/a?back=http://x/')).toEqual(['sound:https://h/a?back=http://x/'])
  })

  test('a row may name one host, and then leads to no other', () => {
    const tables: SteeringTables = {
      ...local,
      mediaOf: compilePatterns([['prompt:{name}', 'sound:https://tts.site/{name}']]),
    }
    expect(uris(tables, 'prompt:hello')).toEqual(['sound:https://tts.site/hello'])
    expect(uris(tables, 'prompt:@evil/x')).toBeUndefined()
    expect(uris(tables, 'prompt:../x')).toBeUndefined()
  })
})

describe('names of files', () => {
  const CLIMBERS = [
    '../x.wav',
    'a/../../x.wav',
    'a/..',
    '..',
    '/../x.wav',
    '.hidden.wav',
    'a/./.x.wav',
    'a\u0000.wav',
    'a\n.wav',
    'a;b.wav',
    '~/x.wav',
    '$(x).wav',
    `${'x'.repeat(300)}.wav`,
  ]
  test.each(CLIMBERS)('no recording is made at %j', (path) => {
    expect(recordRequestOf({ action: 'RECORD', path })).toHaveProperty('refused')
  })

  test.each(['../../etc/passwd', 'sound:../../etc/passwd', 'recording:../x', 'a/../b.wav', 'a\u0000b'])(
    '%j is not played',
    (data) => {
      expect(uris(shipped(), data)).toBeUndefined()
    },
  )

  test('an absolute path to record to is one below the folder of recordings', () => {
    expect(recordRequestOf({ action: 'RECORD', path: '/etc/x.wav' })).toMatchObject({ value: { name: 'etc/x' } })
  })
})

describe('names of controllers', () => {
  const { nameOf } = controllersBelow(() => 'cn.xswitch.ctrl')
  test.each([
    'a b',
    'a\r\nPUB x 1',
    '*',
    '>',
    'a.>',
    'a..b',
    '.a',
    'a.',
    '',
    'cn.xswitch.node',
    'a\tb',
    '\u00a0',
    5,
    null,
    {},
  ])('no subject is made of %j', (name) => expect(nameOf(name)).toBeUndefined())
})

describe('how much is asked', () => {
  const rpc = (id: number) =>
    JSON.stringify({ jsonrpc: '2.0', id: String(id), method: 'XNode.GetState', params: { ctrl_uuid: 'c', uuid: 'u' } })

  test('so many commands at a time and no more: what comes beyond is 503 at once, and later ones are taken again', async () => {
    const codes: number[] = []
    let finish: (result: Result) => void = () => undefined
    const running = new Promise<Result>((resolve) => {
      finish = resolve
    })
    const { take } = requestDesk({
      nodeUuid: 'n',
      controllers: controllersBelow(() => 's'),
      handle: () => running,
      ownerOf: async () => undefined,
      announce: () => undefined,
      reply: (_to, body) =>
        void codes.push((JSON.parse(Buffer.from(body).toString()) as { result: Result }).result.code),
      later: () => undefined,
      answered: () => undefined,
    })
    const ask = (id: number) => take({ address: { subject: 's', reply: 'r' }, headers: {}, body: Buffer.from(rpc(id)) })
    const all = Array.from({ length: 10_003 }, (_, id) => ask(id))
    await expect.poll(() => codes).toEqual([503, 503, 503])
    finish({ code: 200, message: 'OK' })
    await Promise.all(all)
    expect(codes.filter((code) => code === 200)).toHaveLength(10_000)
    await ask(1)
    expect(codes.at(-1)).toBe(200)
  })

  const names = Array.from({ length: 201 }, (_, at) => `v${at}`)
  test.each([
    ['GetVar', { data: names }],
    ['SetVar', { data: Object.fromEntries(names.map((name) => [name, 'x'])) }],
  ])('%s of more variables than anybody needs asks Asterisk for none', async (method, params) => {
    const site = fakeSite()
    site.there('a')
    const result = await site.ask(method, { uuid: 'a', ...params })
    expect(result).toMatchObject({ code: 400, message: 'data: want at most 200 variables' })
    expect(site.asked).toEqual([])
  })

  test('of variables to report no more are looked after', async () => {
    const site = fakeSite(() => ({ value: 'x' }))
    site.there('a')
    expect(await site.ask('SetVar', { uuid: 'a', data: { y: '1' }, channel_params: names })).toMatchObject({
      code: 200,
    })
    expect(site.asked.filter((request) => request.startsWith('GET'))).toHaveLength(200)
  })
})
