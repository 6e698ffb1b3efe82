import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CallerStep, listenToAri, placeCall } from '../harness/index.js'
import { answeredCaller, legTo, nothingLeft } from './legs.js'
import { type SteeredSite, startSteeredSite, type TestController, until } from './site.js'
import { heardIn as heardInRecording } from './sound.js'

let site: SteeredSite
let app: TestController

beforeAll(async () => {
  site = await startSteeredSite({ steer: 'acceptWithinMs: 5000' })
  app = await site.controller()
})
afterAll(() => site.stop())

const answered = (steps?: readonly CallerStep[]) => answeredCaller(site, app, steps)
const heardIn = (name: string) => heardInRecording(site.asterisk, name)

/** Hangs a call up and waits until its caller is gone and the controller heard of it. */
async function end(uuid: string, caller: { readonly done: Promise<void> }) {
  await app.ask('Hangup', { uuid })
  await gone(uuid, caller)
}

async function gone(uuid: string, caller: { readonly done: Promise<void> }) {
  await caller.done
  await until(
    () => app.wordsOf(uuid).includes('DESTROY'),
    () => app.wordsOf(uuid).join(' '),
  )
}

async function timed<T>(running: Promise<T>): Promise<readonly [T, number]> {
  const begin = performance.now()
  const value = await running
  return [value, performance.now() - begin]
}

/** A leg in the application whose far end plays music, owned by the controller. */
async function music() {
  const uuid = `music-${Math.random().toString(36).slice(2)}`
  const { status } = await site.asterisk.ari('POST', '/channels', {
    endpoint: 'Local/music@services',
    app: site.asterisk.app,
    channelId: uuid,
  })
  expect(status).toBe(200)
  await accepted(uuid)
  return uuid
}

/** Waits until a leg is known, and takes it. */
async function accepted(uuid: string) {
  for (let tries = 0; (await app.ask('Accept', { uuid })).code !== 200; tries++) {
    expect(tries).toBeLessThan(100)
    await delay(20)
  }
}

describe('Play', () => {
  test('is done when the last of its media is over', async () => {
    const { uuid, caller } = await answered()
    const cases: readonly (readonly [media: object, minMs: number])[] = [
      [{ data: 'hello-world.wav' }, 1000],
      [{ data: 'sound:silence/1', loop: 2 }, 1900],
      [{ type: 'FILE', data: 'file_string://silence_stream://300!silence_stream://300,1400' }, 600],
      [{ data: 'tone_stream://%(200,100,350,440);loops=2' }, 600],
      [{ data: 'tone_stream://L=2;%(100,0,400)', silence_ms: 300 }, 500],
      [{ data: 'hello-world', offset: 8000 }, 200],
      [{ data: 'say:a1' }, 800],
    ]
    for (const [media, minMs] of cases) {
      const [result, tookMs] = await timed(app.ask('Play', { uuid, media }))
      expect(result, JSON.stringify(media)).toMatchObject({ code: 200, uuid, node_uuid: 'ast1' })
      expect(tookMs, JSON.stringify(media)).toBeGreaterThan(minMs)
      // It does not wait for anything else.
      expect(tookMs, JSON.stringify(media)).toBeLessThan(minMs + 5000)
    }
    await end(uuid, caller)
  })

  test('that is stopped ends with 206, and the next one plays', async () => {
    const { uuid, caller } = await answered()
    const playing = app.ask('Play', { uuid, media: { data: 'tone_stream://%(1000,1000,400);loops=-1' } })
    await delay(500)
    const [stopped, stopMs] = await timed(app.ask('Stop', { uuid }))
    expect(stopped).toMatchObject({ code: 200 })
    const [result, tookMs] = await timed(playing)
    expect(result).toMatchObject({ code: 206, uuid })
    expect(stopMs + tookMs).toBeLessThan(5000)
    expect(await app.ask('Play', { uuid, media: { data: 'silence_stream://100' } })).toMatchObject({ code: 200 })
    expect(await app.ask('Stop', { uuid })).toMatchObject({ code: 200 })
    await end(uuid, caller)
  })

  test('waits for the one before it', async () => {
    const { uuid, caller } = await answered()
    const media = { data: 'silence_stream://400' }
    const both = Promise.all([app.ask('Play', { uuid, media }), app.ask('Play', { uuid, media })])
    const [results, tookMs] = await timed(both)
    expect(results).toMatchObject([{ code: 200 }, { code: 200 }])
    expect(tookMs).toBeGreaterThan(800)
    await end(uuid, caller)
  })

  test('ends with 410 when the caller hangs up', async () => {
    const { uuid, caller } = await answered([{ pauseMs: 2500 }, 'hangUp'])
    const [result, tookMs] = await timed(app.ask('Play', { uuid, media: { data: 'sound:silence/10' } }))
    expect(result).toMatchObject({ code: 410, uuid })
    expect(tookMs).toBeLessThan(6000)
    await gone(uuid, caller)
  })

  test.each([
    ['a file that is not there', { data: 'no-such-file.wav' }, 500, /no-such-file/],
    ['a scheme that nobody knows', { data: 'nonsense://x' }, 400, /nonsense/],
    ['a number that is none', { data: 'number:abc' }, 400, /media\.data/],
    ['a tone that is none', { data: 'tone_stream://%(a,b)' }, 400, /media\.data/],
    ['a name outside the sounds', { data: '../../etc/passwd' }, 400, /media\.data/],
    ['no name', { data: '' }, 400, /media\.data/],
    ['a kind that is none', { type: 'SMELL', data: 'x' }, 400, /media\.type/],
    ['too many rounds', { data: 'x', loop: 100_000 }, 400, /media\.loop/],
    ['text without a speaker', { type: 'TEXT', data: 'good morning' }, 501, /speech/],
    ['SSML without a speaker', { type: 'SSML', data: '<speak/>' }, 501, /speech/],
  ])('of %s is refused', async (_what, media, code, message) => {
    const { uuid, caller } = await answered()
    const [result, tookMs] = await timed(app.ask('Play', { uuid, media }))
    expect(result).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(tookMs).toBeLessThan(6000)
    await end(uuid, caller)
  })
})

describe('ReadDTMF', () => {
  /** Keys pressed by SIP INFO, each with what passes before it. */
  const keys = (...presses: readonly (readonly [afterMs: number, keys: string])[]): CallerStep[] =>
    presses.flatMap(([pauseMs, pressed]) => [{ pauseMs }, { keys: pressed }])

  test.each<readonly [what: string, steps: CallerStep[], params: object, result: object, words: string]>([
    ['one key', keys([1500, '5']), {}, { code: 200, dtmf: '5', terminator: '' }, '5'],
    ['as many keys as are wanted', keys([1500, '123']), { max_digits: 3 }, { code: 200, dtmf: '123' }, '123'],
    [
      'keys up to a terminator',
      keys([1500, '12#']),
      { max_digits: 9, terminators: '#' },
      { code: 200, dtmf: '12', terminator: '#' },
      '12#',
    ],
    [
      'keys until none comes in time',
      keys([1500, '12']),
      { max_digits: 9, digit_timeout: 1500 },
      { code: 200, dtmf: '12', terminator: '' },
      '12',
    ],
    ['no key', [], { timeout: 500 }, { code: 200, dtmf: '', message: 'no input' }, ''],
    [
      'keys during a prompt, which they end',
      keys([1500, '7']),
      { media: { data: 'sound:silence/10' } },
      { code: 200, dtmf: '7' },
      '7',
    ],
    [
      'the second input where the first does not fit',
      keys([1500, '12'], [2000, '34']),
      { max_digits: 2, regex: '^3', max_tries: 2, media_invalid: { data: 'silence_stream://300' } },
      { code: 200, dtmf: '34' },
      '1234',
    ],
    [
      'no input that fits',
      keys([1500, '12']),
      { max_digits: 2, regex: '^3', media_invalid: { data: 'silence_stream://200' }, play_last_invalid_prompt: true },
      { code: 200, dtmf: '', message: 'the input does not fit the pattern' },
      '12',
    ],
  ])('answers with %s', async (_what, steps, params, want, pressed) => {
    const { uuid, caller } = await answered([...steps, 'hungUp'])
    const [result, tookMs] = await timed(app.ask('ReadDTMF', { uuid, ...params }))
    expect(result).toMatchObject({ uuid, ...want })
    expect(tookMs).toBeLessThan(9000)
    await end(uuid, caller)
    expect(
      app
        .wordsOf(uuid)
        .filter((word) => word.startsWith('DTMF'))
        .join(''),
    ).toBe([...pressed].map((key) => `DTMF ${key}`).join(''))
  })

  test('ends with 206 and what was pressed when it is stopped', async () => {
    const { uuid, caller } = await answered([{ pauseMs: 1500 }, { keys: '4' }, 'hungUp'])
    const reading = app.ask('ReadDigits', { uuid, max_digits: 5, digit_timeout: 20_000 })
    await until(
      () => app.wordsOf(uuid).includes('DTMF 4'),
      () => 'no key',
    )
    await app.ask('Stop', { uuid })
    expect(await reading).toMatchObject({ code: 206, dtmf: '4' })
    await end(uuid, caller)
  })

  test('ends with 410 when the caller hangs up, before and during the prompt', async () => {
    for (const params of [{}, { media: { data: 'sound:silence/10' } }]) {
      const { uuid, caller } = await answered([{ pauseMs: 2500 }, 'hangUp'])
      const [result, tookMs] = await timed(app.ask('ReadDTMF', { uuid, timeout: 20_000, ...params }))
      expect(result).toMatchObject({ code: 410, uuid })
      expect(tookMs).toBeLessThan(6000)
      await gone(uuid, caller)
    }
  })

  test.each([
    ['a pattern with a look-ahead', { regex: '(?=1)' }, /regex/],
    ['a pattern that is none', { regex: '(' }, /regex/],
    ['more digits than can be', { max_digits: 1000 }, /max_digits/],
    ['less at most than at least', { min_digits: 3, max_digits: 2 }, /min_digits/],
    ['terminators that are no keys', { terminators: 'x' }, /terminators/],
    ['a prompt that is none', { media: { type: 'SMELL', data: 'x' } }, /media\.type/],
  ])('refuses %s', async (_what, params, message) => {
    const { uuid, caller } = await answered()
    const result = await app.ask('ReadDTMF', { uuid, ...params })
    expect(result).toMatchObject({ code: 400, message: expect.stringMatching(message) })
    await end(uuid, caller)
  })
})

describe('Record', () => {
  test('takes what comes in until the limit, into a file that is not silence', async () => {
    const uuid = await music()
    const [result, tookMs] = await timed(
      app.ask('Record', { uuid, path: '/rec/by-limit.wav', limit: 2, beep: 'default' }),
    )
    expect(result).toMatchObject({ code: 200, uuid, path: '/rec/by-limit.wav', terminator: '' })
    expect(tookMs).toBeGreaterThan(1900)
    expect(tookMs).toBeLessThan(10_000)
    const { peak, seconds } = await heardIn('rec/by-limit')
    expect(peak).toBeGreaterThan(500)
    expect(seconds).toBeGreaterThan(1.5)
    await app.ask('Hangup', { uuid })
  })

  test('is ended by a terminator, which is told', async () => {
    const { uuid, caller } = await answered([{ pauseMs: 1500 }, { keys: '5#' }, 'hungUp'])
    const [result, tookMs] = await timed(app.ask('Record', { uuid, path: 'by-key.wav', terminators: '#', limit: 20 }))
    expect(result).toMatchObject({ code: 200, path: 'by-key.wav', terminator: '#' })
    expect(tookMs).toBeLessThan(10_000)
    await end(uuid, caller)
  })

  test('is ended by Stop with 206 and by silence with 200', async () => {
    const { uuid, caller } = await answered()
    const recording = app.ask('Record', { uuid, path: 'stopped.wav' })
    await delay(500)
    await app.ask('Stop', { uuid })
    const [result, tookMs] = await timed(recording)
    expect(result).toMatchObject({ code: 206, path: 'stopped.wav' })
    expect(tookMs).toBeLessThan(5000)
    expect(await app.ask('Record', { uuid, path: 'silent.wav', silence_seconds: 1, limit: 20 })).toMatchObject({
      code: 200,
    })
    // One in the background that ends by itself leaves nothing behind that would keep the next from its place.
    const background = { uuid, path: 'limited-too.wav', action: 'START', limit: 1 }
    expect(await app.ask('Record', background)).toMatchObject({ code: 200 })
    const ends = () =>
      app.heard.filter(({ params }) => params?.action === 'STOP' && params.path === 'limited-too').length
    await until(
      () => ends() === 1,
      () => 'it does not end',
    )
    // Its listener goes a moment later.
    await expect.poll(() => app.ask('Record', background)).toMatchObject({ code: 200 })
    await end(uuid, caller)
  })

  test('ends with 410 when the caller hangs up', async () => {
    const { uuid, caller } = await answered([{ pauseMs: 2500 }, 'hangUp'])
    const [result, tookMs] = await timed(app.ask('Record', { uuid, path: 'gone.wav', limit: 30 }))
    expect(result).toMatchObject({ code: 410, uuid, path: 'gone.wav' })
    expect(tookMs).toBeLessThan(6000)
    await gone(uuid, caller)
  })

  test('in the background takes both directions while something is played, with what is masked left out', async () => {
    const { uuid, caller } = await answered()
    const of = (action: string, path: string) => app.ask('Record', { uuid, action, path })
    expect(await of('START', 'both.wav')).toMatchObject({ code: 200, path: 'both.wav' })
    expect(await of('START', 'both.wav')).toMatchObject({ code: 400, message: expect.stringContaining('already') })
    expect(await of('START', 'masked.wav')).toMatchObject({ code: 200 })
    expect(await of('MASK', 'masked.wav')).toMatchObject({ code: 200 })
    expect(await app.ask('Play', { uuid, media: { data: 'hello-world' } })).toMatchObject({ code: 200 })
    expect(await of('UNMASK', 'masked.wav')).toMatchObject({ code: 200 })
    for (const path of ['both.wav', 'masked.wav']) expect(await of('STOP', path)).toMatchObject({ code: 200 })
    expect(await of('STOP', 'both.wav')).toMatchObject({ code: 400 })
    expect((await heardIn('both')).peak).toBeGreaterThan(500)
    expect((await heardIn('masked')).peak).toBeLessThan(50)
    expect(await of('START', 'limited.wav')).toMatchObject({ code: 200 })
    await end(uuid, caller)
    await nothingLeft(site)
    // Nobody is told of the channels that listened.
    const others = app.heard.filter(({ params = {} }) => String(params.uuid).startsWith('patchbay-ear-'))
    expect(others).toEqual([])
    const told = () =>
      app.heard
        .filter(({ method, params }) => method === 'Event.Record' && params?.uuid === uuid)
        .map(({ params = {} }) => `${String(params.action)} ${String(params.path)}`)
    await until(
      () => told().length === 6,
      () => told().join(', '),
    )
    expect(told().slice(0, 4)).toEqual(['START both', 'START masked', 'STOP both', 'STOP masked'])
    expect(told().slice(4)).toEqual(['START limited', 'STOP limited'])
  })

  test.each([
    ['no path', {}, 400, /path/],
    ['a path that climbs', { path: '../../etc/x.wav' }, 400, /path/],
    ['a path with blanks', { path: 'a b.wav' }, 400, /path/],
    ['a format that Asterisk has not', { path: 'x.mp3' }, 501, /mp3/],
    ['a rate that the format has not', { path: 'x.wav', rate: 48_000 }, 501, /48000/],
    ['an action that is none', { path: 'x.wav', action: 'PAUSE' }, 400, /action/],
    ['a beep without end', { path: 'x.wav', beep: '%(100,0,400);loops=-1' }, 400, /beep/],
    ['to stop what does not run', { path: 'x.wav', action: 'STOP' }, 400, /not being recorded/],
  ])('refuses %s', async (_what, params, code, message) => {
    const { uuid, caller } = await answered()
    const result = await app.ask('Record', { uuid, ...params })
    expect(result).toMatchObject({ code, message: expect.stringMatching(message) })
    await end(uuid, caller)
  })
})

describe('a leg', () => {
  test('gets the keys that are sent', async () => {
    const far = await listenToAri(site.asterisk, { app: 'far-end' })
    const uuid = `keys-${Math.random().toString(36).slice(2)}`
    await site.asterisk.ari('POST', '/channels', {
      endpoint: 'Local/in-far-end@services',
      app: site.asterisk.app,
      channelId: uuid,
    })
    const { channel } = (await far.until('StasisStart')) as unknown as { channel: { id: string } } // as Asterisk says it
    await site.asterisk.ari('POST', `/channels/${channel.id}/answer`)
    await accepted(uuid)
    expect(await app.ask('SendDTMF', { uuid, dtmf: '12wA#@150' })).toMatchObject({ code: 200, uuid })
    const pressed = () => far.events.filter(({ type }) => type === 'ChannelDtmfReceived').map((event) => event.digit)
    await until(
      () => pressed().length === 4,
      () => pressed().join(''),
    )
    expect(pressed()).toEqual(['1', '2', 'A', '#'])
    for (const dtmf of ['', '12x', '1 2', '1@x', '1'.repeat(200)])
      expect(await app.ask('SendDTMF', { uuid, dtmf })).toMatchObject({
        code: 400,
        message: expect.stringMatching(/dtmf/),
      })
    await app.ask('Hangup', { uuid })
    await far.close()
  })

  test('is silent while it is muted', async () => {
    const uuid = await music()
    const peakOf = async (path: string) => {
      expect(await app.ask('Record', { uuid, path: `${path}.wav`, limit: 1 })).toMatchObject({ code: 200 })
      return (await heardIn(path)).peak
    }
    expect(await app.ask('Mute', { uuid, direction: 'READ', level: 1 })).toMatchObject({ code: 200, uuid })
    expect(await peakOf('muted')).toBeLessThan(50)
    expect(await app.ask('Mute', { uuid, direction: 'READ', level: 0 })).toMatchObject({ code: 200 })
    expect(await peakOf('loud')).toBeGreaterThan(500)
    expect(await app.ask('Mute', { uuid, direction: 'UP' })).toMatchObject({ code: 400 })
    await app.ask('Hangup', { uuid })
  })

  test('is put on hold with music and taken back', async () => {
    const { uuid, caller } = await answered()
    const held = async () => (await app.ask('GetState', { uuid })).held
    for (const [action, want] of [
      ['ON', true],
      ['OFF', false],
      ['TOGGLE', true],
      ['TOGGLE', false],
      ['', true],
    ] as const) {
      expect(await app.ask('Hold', { uuid, action })).toMatchObject({ code: 200, uuid })
      expect(await held(), action).toBe(want)
    }
    expect(await app.ask('Record', { uuid, action: 'START', path: 'held.wav' })).toMatchObject({ code: 200 })
    await delay(2000)
    expect(await app.ask('Record', { uuid, action: 'STOP', path: 'held.wav' })).toMatchObject({ code: 200 })
    expect((await heardIn('held')).peak).toBeGreaterThan(500)
    expect(await app.ask('Hold', { uuid, action: 'MAYBE' })).toMatchObject({
      code: 400,
      message: expect.stringMatching(/action/),
    })
    await end(uuid, caller)
    const heldToldAs = app.heard
      .filter(({ method, params }) => method === 'Event.Channel' && params?.uuid === uuid)
      .map(({ params }) => params?.held === true)
    expect(heldToldAs.filter(Boolean).length).toBeGreaterThanOrEqual(3)
  })

  test('hears a broadcast while other commands run, alone or with its peer', async () => {
    const { uuid, caller } = await answered()
    const media = { data: 'hello-world' }
    const reads = () => app.ask('ReadDTMF', { uuid, max_digits: 1, timeout: 60_000 }, 60_000)
    const isOpen = async (command: Promise<unknown>) =>
      expect(await Promise.race([command, delay(300, 'open')])).toBe('open')
    const counted = (of: string, word: string) => app.wordsOf(of).filter((each) => each === word).length
    const played = (of: string) => [counted(of, 'Event.PLAYBACK_START'), counted(of, 'Event.PLAYBACK_STOP')]
    const hasPlayed = (of: string, begun: number, over: number) =>
      until(
        () => played(of).join() === [begun, over].join(),
        () => `${of}: ${app.wordsOf(of).join(' ')}`,
      )
    const reading = reads()
    expect(await app.ask('Broadcast', { uuid, media, option: 'BLEG' })).toMatchObject({
      code: 400,
      message: expect.stringMatching(/peer/),
    })
    expect(await app.ask('Broadcast', { uuid, media, option: 'ALEG' })).toMatchObject({ code: 200, uuid })
    const tone = { data: 'tone_stream://%(500,500,425);loops=-1' }
    expect(await app.ask('Broadcast', { uuid, media: tone, option: 'ALEG' })).toMatchObject({ code: 200 })
    await hasPlayed(uuid, 2, 1)
    await isOpen(reading)
    expect(await app.ask('Stop', { uuid })).toMatchObject({ code: 200 })
    await hasPlayed(uuid, 2, 2)
    expect(await reading).toMatchObject({ code: 206, uuid, dtmf: '' })
    const peer = await legTo(app, 'music')
    const bridge = `bridge-${uuid}`
    await site.asterisk.ari('POST', `/bridges/${bridge}`, { type: 'mixing' })
    await site.asterisk.ari('POST', `/bridges/${bridge}/addChannel`, { channel: [uuid, peer] })
    await until(
      () => app.wordsOf(uuid).includes('BRIDGE'),
      () => app.wordsOf(uuid).join(' '),
    )
    const readingOn = reads()
    expect(await app.ask('Broadcast', { uuid, media })).toMatchObject({ code: 200, uuid })
    await hasPlayed(uuid, 3, 3)
    await hasPlayed(peer, 1, 1)
    expect(await app.ask('Broadcast', { uuid, media, option: 'BLEG' })).toMatchObject({ code: 200, uuid })
    await hasPlayed(peer, 2, 2)
    expect(played(uuid)).toEqual([3, 3])
    await isOpen(readingOn)
    for (const more of [{ option: 'AHOLDB' }, { apps: [{ app: 'playback', data: 'x' }] }])
      expect(await app.ask('Broadcast', { uuid, media, ...more })).toMatchObject({ code: 501 })
    expect(await app.ask('Broadcast', { uuid, media, option: 'CLEG' })).toMatchObject({ code: 400 })
    expect(await app.ask('Broadcast', { uuid, media: { data: 'no-such' }, option: 'ALEG' })).toMatchObject({
      code: 200,
    })
    await isOpen(readingOn)
    await app.ask('Hangup', { uuid: peer })
    await end(uuid, caller)
    expect(await readingOn).toMatchObject({ code: 410, uuid })
  })
})

test('answer, play, collect digits, record, hang up: each reply and each event, in order, at the owner alone', async () => {
  const other = await site.controller()
  const caller = await placeCall(site.asterisk, {
    from: '1001',
    to: '600',
    // Each key has its time: what comes before it, and the word of it, must be over.
    steps: [
      'answered',
      { pauseMs: 3500 },
      { keys: '4' },
      { pauseMs: 1000 },
      { keys: '2#' },
      { pauseMs: 2500 },
      { keys: '*' },
      'hungUp',
    ],
  })
  const uuid = await app.nextCall()
  const codes: number[] = []
  const ask = async (method: string, params: object) => {
    const result = await app.ask(method, { uuid, ...params })
    codes.push(result.code)
    return result
  }
  await ask('Answer', {})
  // The phone makes no sound, so what is played is what shows that a recording is not silence.
  const prompt = (action: string) => ask('Record', { path: 'script/prompt.wav', action })
  await prompt('START')
  await ask('Play', { media: { data: 'hello-world.wav' } })
  await prompt('STOP')
  const digits = await ask('ReadDTMF', { max_digits: 9, terminators: '#', media: { data: 'silence_stream://5000' } })
  const recording = await ask('Record', { path: 'script/call.wav', terminators: '*', limit: 20 })
  await ask('Hangup', { cause: 'NORMAL_CLEARING' })
  await gone(uuid, caller)
  expect(codes).toEqual([200, 200, 200, 200, 200, 200, 200])
  expect(digits).toMatchObject({ dtmf: '42', terminator: '#' })
  expect(recording).toMatchObject({ path: 'script/call.wav', terminator: '*' })
  expect(app.wordsOf(uuid)).toEqual([
    'START',
    'ANSWERED',
    'Event.Record',
    'Event.PLAYBACK_START',
    'Event.PLAYBACK_STOP',
    'Event.Record',
    'Event.PLAYBACK_START',
    'DTMF 4',
    'Event.PLAYBACK_STOP',
    'DTMF 2',
    'DTMF #',
    'Event.Record',
    'DTMF *',
    'Event.Record',
    'CDR',
    'DESTROY',
  ])
  const told = app.heard.filter(({ params, method }) => method !== undefined && params?.uuid === uuid)
  const others = ['START', 'CDR']
  await until(
    () => other.wordsOf(uuid).includes('CDR'),
    () => 'the account did not come to all',
  )
  expect(other.wordsOf(uuid)).toEqual(others)
  const ownerOnly = told.filter(({ subject }) => subject === `cn.xswitch.ctrl.${app.name}`)
  expect(ownerOnly.length).toBe(told.length - others.length)
  const recorded = told.filter(({ method }) => method === 'Event.Record').map(({ params }) => params)
  expect(recorded).toMatchObject([
    { action: 'START', path: 'script/prompt', node_uuid: 'ast1' },
    { action: 'STOP', path: 'script/prompt', node_uuid: 'ast1' },
    { action: 'START', path: 'script/call', node_uuid: 'ast1' },
    { action: 'STOP', path: 'script/call', node_uuid: 'ast1' },
  ])
  const { peak, seconds } = await heardIn('script/prompt')
  expect(peak).toBeGreaterThan(500)
  expect(seconds).toBeGreaterThan(1)
  // This one is there; what is in it would be the sound of the phone, which has none.
  await heardIn('script/call')
})
