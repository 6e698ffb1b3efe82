import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frameLine, parseLine } from '../../src/cli/translate/frames.js'
import { type PlainTranslator, type Translated, translator } from '../../src/cli/translate/translator.js'
import {
  RubyDate,
  RubyFloat,
  RubyMap,
  RubySymbol,
  RubyTime,
  type RubyValue,
  stringify,
} from '../../src/codecs/ruby-yaml/index.js'
import { openDialects } from '../../src/gateway/dialects.js'

const seed = process.env.FC_SEED
const RUNS = { numRuns: 400, interruptAfterTimeLimit: 20_000, ...(seed === undefined ? {} : { seed: Number(seed) }) }

const opened = openDialects(['mappings/voice-events.yaml', 'mappings/xcc.yaml'], {
  'voice-events': { profile: 'psych-4' },
})
if ('faults' in opened) throw new Error('the shipped mappings have faults')
const { dialects } = opened

const HOSTILE = [
  '',
  ' ',
  '~',
  'null',
  'no',
  'y',
  '0008',
  '00000030',
  '12e3',
  '12:30',
  '1.5',
  '*98',
  '&a',
  '!x',
  '- a',
  'a: b',
  '# a',
  "it's",
  '"',
  'a\nb',
  'a\n',
  '\ttab',
  'x '.repeat(60),
  '张伟',
  '\u{1F600}',
  '\u00a0',
  '\ufeff',
  '__proto__',
  '<<',
  '=',
  ':sym',
  '{a}',
  '[b]',
  '%',
  '@',
  '`',
  '|',
  '>',
  '2026-01-01',
  '1_000',
  '0x1f',
  '.inf',
  'patchbay_x',
  '!"text"',
] // prettier-ignore

const text = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'grapheme', maxLength: 12 }))
const leaf: fc.Arbitrary<RubyValue> = fc.oneof(
  text,
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 70n }),
  fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e6, max: 1e6 }).map((value) => new RubyFloat(value)),
  fc.constantFrom('a', 'b c', 'state', '1', '').map((name) => new RubySymbol(name)),
  fc.integer({ min: 0, max: 2_000_000_000 }).map((s) => new RubyTime(BigInt(s) * 1_000_000_000n + 5n, undefined)),
  fc.integer({ min: 0, max: 2_000_000_000 }).map((s) => new RubyTime(BigInt(s) * 1_000_000_000n, 3600 * 8)),
  fc.constant(new RubyDate('2026-01-01', 2_461_042)),
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => new Uint8Array([0xff, ...bytes])),
)
const key: fc.Arbitrary<RubyValue> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('note', 'a b', '__proto__', 'meta', 'state ', 'Uuid', '0008', 'no') },
  { weight: 1, arbitrary: fc.constantFrom<RubyValue>(7, null, true, new RubySymbol('uuid')) },
)

function mapOf(keys: readonly RubyValue[], values: readonly RubyValue[], className?: string): RubyMap {
  const map = new RubyMap(className)
  for (const [i, each] of keys.entries()) {
    if (map.keys.includes(each)) continue
    map.keys.push(each)
    map.values.push(values[i]!)
  }
  return map
}

const { value } = fc.letrec<{ value: RubyValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 3 }).map((pairs) =>
      mapOf(
        pairs.map(([each]) => each),
        pairs.map(([, each]) => each),
      ),
    ),
  ),
}))

const USUAL: Readonly<Record<string, fc.Arbitrary<RubyValue>>> = {
  uuid: fc.constantFrom('u-1', 'u-2', '0008', '张'),
  s_id: fc.constantFrom<RubyValue>(599_067_108_406_308, 0, -1),
  t_id: fc.constantFrom<RubyValue>('', '1004', '0008', 1004),
  c_type: fc.constantFrom('talk', 'broadcast'),
  is_caller: fc.constantFrom<RubyValue>(true, false, ''),
  j_name: fc.constantFrom('talk', 'x'),
  t_type: fc.constantFrom('gui', 'terminal'),
  t_src: fc.constantFrom('client', 'x'),
  r_uuid: fc.constantFrom('', 'u-2'),
  from: fc.constantFrom<RubyValue>('', '1004', '0008', 1004),
  to: fc.constantFrom<RubyValue>('', '1003', 1003, 0),
  des: fc.constantFrom('', '*#BROADCAST#_#SPE# '),
  state: fc.constantFrom('RINGING', 'EARLY', 'ACTIVE', 'HANGUP', 'HELD', 'UNHELD', '', 'PARKED'),
  is_loopback: fc.boolean(),
}

/** A map with most of its usual keys, in some order, hostile values among them, and keys nobody knows. */
function oddMap(
  usual: Readonly<Record<string, fc.Arbitrary<RubyValue>>>,
  always: readonly string[],
  className?: string,
): fc.Arbitrary<RubyMap> {
  // Variables of an object are words; a Hash may have any key.
  const extraKey = className === undefined ? key : fc.constantFrom<RubyValue>('note', 'meta', 'other')
  const entry = (name: string) => {
    const some = always.includes(name) ? usual[name]! : fc.oneof({ weight: 6, arbitrary: usual[name]! }, value)
    return fc.record({ name: fc.constant<RubyValue>(name), kept: fc.nat(9), rank: fc.nat(9), value: some })
  }
  return fc
    .record({
      entries: fc.tuple(...Object.keys(usual).map(entry)),
      extra: fc.array(fc.tuple(extraKey, value), { maxLength: 2 }),
      shuffled: fc.nat(3),
      first: fc.boolean(),
    })
    .map(({ entries, extra, shuffled, first }) => {
      const kept = entries.filter((each) => each.kept > 0 || always.includes(String(each.name)))
      if (shuffled === 0) kept.sort((a, b) => a.rank - b.rank)
      const pairs: (readonly [RubyValue, RubyValue])[] = kept.map((each) => [each.name, each.value])
      const all = first ? [...extra, ...pairs] : [...pairs, ...extra]
      return mapOf(
        all.map(([each]) => each),
        all.map(([, each]) => each),
        className,
      )
    })
}

/** The same objects in several places now and then, as Ruby shares them. */
function sharing<T extends RubyValue>(list: fc.Arbitrary<T[]>): fc.Arbitrary<T[]> {
  return fc.record({ list, again: fc.array(fc.nat(5), { maxLength: 2 }) }).map(({ list, again }) => {
    if (list.length === 0) return list
    const shared: RubyValue[] = ['both', 1]
    for (const at of again) {
      const item = list[at % list.length]!
      if (at % 2 === 0) list.push(item)
      else if (item instanceof RubyMap) for (const each of list) if (each instanceof RubyMap) put(each, 'both', shared)
    }
    return list
  })
}

function put(map: RubyMap, name: string, item: RubyValue): void {
  if (map.keys.includes(name)) return
  map.keys.push(name)
  map.values.push(item)
}

const CALLS = { exchange: 'voice_events', key: 'channel.call_state' }
const TERMINALS = { exchange: 'voice_events', key: 'terminal.online_offline_states' }
const NUMBERS = { exchange: 'voice_events', key: 'terminal.dialno' }

interface Wire {
  readonly address: Record<string, string>
  readonly root: RubyValue
}

const isSync = fc.oneof({ weight: 4, arbitrary: fc.boolean() as fc.Arbitrary<RubyValue> }, value)
const calls: fc.Arbitrary<Wire> = fc
  .record({
    events: sharing(fc.array(oddMap(USUAL, ['uuid']), { maxLength: 4 })),
    isSync,
    extra: fc.option(value),
    order: fc.boolean(),
  })
  .map(({ events, isSync, extra, order }) => {
    const root = new RubyMap('Channel_states', [], [])
    if (order) put(root, 'is_sync', isSync)
    put(root, 'evts', events)
    if (!order) put(root, 'is_sync', isSync)
    if (extra !== null) put(root, 'extra', extra)
    return { address: CALLS, root }
  })
const serials = fc.array(fc.oneof({ weight: 5, arbitrary: text as fc.Arbitrary<RubyValue> }, leaf), { maxLength: 4 })
const terminals: fc.Arbitrary<Wire> = fc
  .record({
    isSync,
    online: serials,
    offline: serials,
    onlineNumbers: fc.option(serials),
    offlineNumbers: fc.option(serials),
  })
  .map(({ isSync, online, offline, onlineNumbers, offlineNumbers }) => {
    const root = new RubyMap(undefined, ['is_sync', 'online'], [isSync, online])
    if (onlineNumbers !== null) put(root, 'online_dialno', onlineNumbers)
    put(root, 'offline', offline)
    if (offlineNumbers !== null) put(root, 'offline_dialno', offlineNumbers)
    return { address: TERMINALS, root }
  })
const oneNumber = fc
  .constantFrom('TerminalDialno', 'Terminal::TerminalDialno', undefined)
  .chain((name) =>
    oddMap({ t_sn: fc.constantFrom('f1', '0008'), dialno: fc.constantFrom<RubyValue>('', '1003', 1003) }, [], name),
  )
const numbers: fc.Arbitrary<Wire> = fc
  .record({ isSync, list: sharing(fc.array(oneNumber, { maxLength: 4 })) })
  .map(({ isSync, list }) => ({
    address: NUMBERS,
    root: new RubyMap(undefined, ['is_sync', 'terminals'], [isSync, list]),
  }))
const wires = fc.oneof({ weight: 4, arbitrary: calls }, terminals, numbers)

function lineOf(translated: Translated): string {
  if (translated.kind === 'frame') return frameLine(translated.frame)
  const { address = {}, headers, body } = translated
  return JSON.stringify({ address, headers, body })
}

/** What a translation makes of lines, as lines again. */
function through(translation: PlainTranslator, lines: readonly string[]): Translated[] {
  const out = lines.flatMap((line) => translation.take(parseLine(Buffer.from(line))))
  return [...out, ...translation.finish()]
}

function bodiesOf(translated: readonly Translated[]): string[] {
  return translated.map((each) => (each.kind === 'frame' ? Buffer.from(each.frame.body).toString() : 'facts'))
}

describe('any legacy message, whatever its fields hold,', () => {
  test('is the same after facts', async () => {
    await fc.assert(
      fc.asyncProperty(wires, async ({ address, root }) => {
        const body = stringify(root, { profile: 'psych-4' })
        const there = translator({ dialects, from: 'voice-events', to: 'facts' })
        const back = translator({ dialects, from: 'facts', to: 'voice-events' })
        const facts = await through(there, [JSON.stringify({ address, body })])
        expect(bodiesOf(await through(back, facts.map(lineOf)))).toEqual([body])
      }),
      RUNS,
    )
  })

  test('is the same after XCC, if it tells any event', async () => {
    await fc.assert(
      fc.asyncProperty(wires, async ({ address, root }) => {
        const body = stringify(root, { profile: 'psych-4' })
        const there = translator({ dialects, from: 'voice-events', to: 'xcc' })
        const back = translator({ dialects, from: 'xcc', to: 'voice-events' })
        const frames = await through(there, [JSON.stringify({ address, body })])
        if (there.shortfalls().empty > 0) return
        expect(bodiesOf(await through(back, frames.map(lineOf)))).toEqual([body])
      }),
      RUNS,
    )
  })

  test('is recognised without its address', async () => {
    await fc.assert(
      fc.asyncProperty(wires, async ({ root }) => {
        const body = stringify(root, { profile: 'psych-4' })
        const there = translator({ dialects, from: 'voice-events', to: 'voice-events' })
        expect(bodiesOf(await through(there, [JSON.stringify({ body })]))).toEqual([body])
      }),
      { ...RUNS, numRuns: 100 },
    )
  })
})
