import fc from 'fast-check'
import {
  RubyDate,
  RubyFloat,
  RubyMap,
  RubySymbol,
  RubyTime,
  type RubyValue,
} from '../../../src/codecs/ruby-yaml/index.js'

/** Runs and seed of the random tests; `FC_SEED` repeats one. */
export function randomRuns(numRuns: number): fc.Parameters<unknown> {
  const seed = process.env.FC_SEED
  return seed === undefined ? { numRuns } : { numRuns, seed: Number(seed) }
}

/** Strings that one resolver or another takes for something else, or that need one style or another. */
export const TRAPS = [
  ...[
    '',
    ' ',
    '  ',
    'a',
    'y',
    'n',
    'Y',
    'N',
    'yes',
    'no',
    'on',
    'off',
    'true',
    'False',
    'nULL',
    '~',
    'null',
    'yeſ',
    'oﬀ',
  ],
  ...[
    '0',
    '1',
    '-1',
    '+1',
    '007',
    '008',
    '0008',
    '00000018',
    '00000030',
    '0777',
    '0x1f',
    '0b1',
    '0o7',
    '1_000',
    '1,000',
  ],
  ...['1__0', '6_', '9,', '1,,0', '0_', '1.5', '1.', '.5', '.', '-.', '1e5', '1.5e3', '1.5e+3', '12e45678', '5e601645'],
  ...['12:30', '1:60', '12:30:45', '00:11:22:33', '190:20:30.5', '.inf', '-.inf', '+.inf', '.nan', '1004:1003:1002'],
  ...['2011-07-11', '2011-02-30', '2011-7-1', '2011-01-01 00:00:00', '2011-01-01T00:00:00z', '2011-01-01 00:00:00 GMT'],
  ...[
    ':a',
    ':',
    '::',
    ':"a"',
    '=',
    '<<',
    '<',
    '*#100',
    '#',
    '# a',
    'a #b',
    'a#b',
    'a: b',
    'a:',
    '- a',
    '-',
    '---',
    '...',
  ],
  ...[
    '--- a',
    '? a',
    '?a',
    '!a',
    '!!str a',
    '&a',
    '*a',
    '|',
    '>',
    '%a',
    '@a',
    '`a',
    '[]',
    '{}',
    '[a',
    '{a',
    ',',
    'a,b',
  ],
  ...[
    '"',
    "'",
    '"a"',
    "'a'",
    "it's",
    'say "hi"',
    '\\',
    'a\\b',
    'a\nb',
    'a\n',
    'a\n\n',
    '\na',
    '\n',
    '\n\n',
    ' a\nb',
    'a \nb',
  ],
  ...[
    'a\tb',
    '\ta',
    'a\rb',
    'a\u0085b',
    'a\u2028b',
    '\u2029',
    '\u00a0',
    '\ufeff',
    '\0',
    '\x07',
    '\x7f',
    'é',
    '日本',
    '€5',
  ],
  ...['😀', 'a😀b', 'ё', '١٢', 'Ⅷ', '__proto__', 'constructor', 'toString', '8d1cfb56', 'f4908713', '+441632960000'],
]

const word = fc.stringMatching(/^[a-z0-9:#'"é*-]{1,9}$/)
const sentence = fc.array(word, { minLength: 8, maxLength: 40 }).map((words) => words.join(' '))
const lines = fc.array(fc.oneof(word, fc.constantFrom('', ' ', ' a', 'a ', '- a', 'k: v')), {
  minLength: 2,
  maxLength: 6,
})
const soup = fc.string({
  unit: fc.constantFrom(...Array.from('ab09 \n:#-?*&!|>%@`[]{},.\'"\\~=<_\t\ré日\u2028')),
  maxLength: 12,
})

export const anyString = fc.oneof(
  fc.constantFrom(...TRAPS),
  word,
  sentence,
  lines.map((parts) => parts.join('\n')),
  soup,
  fc.string({ maxLength: 20, unit: 'grapheme' }),
)

const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.nat(20000),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 90n }),
  fc.bigInt({ min: -(2n ** 90n), max: -(2n ** 53n) }),
)
const float = fc
  .oneof(fc.double(), fc.constantFrom(0, -0, 100, 1e15, 1e16, 0.0001, 0.00001))
  .map((value) => new RubyFloat(value))
/** Symbols that Psych reads back: not in quotes, and on one line. */
const symbol = anyString
  .filter((name) => !/^(['"]).*\1$|[\n\u0085\u2028\u2029]/.test(name) && !name.startsWith('"') && !name.startsWith("'"))
  .map((name) => new RubySymbol(name))
/** Offsets whose sign Psych keeps: it loses that of −00:01 to −00:59. */
const offset = fc.constantFrom(undefined, 0, 3600, 28800, -18000, 19800, -34200, -19800)
const time = fc
  .tuple(fc.bigInt({ min: -(10n ** 18n), max: 4n * 10n ** 18n }), offset)
  .map(([epochNs, seconds]) => new RubyTime(epochNs, seconds))
const date = fc.integer({ min: 2299161, max: 3000000 }).map((jd) => {
  const text = new Date((jd - 2440588) * 86400000).toISOString().slice(0, 10)
  return new RubyDate(text, jd)
})
const bytes = fc.uint8Array({ minLength: 1, maxLength: 90 }).filter((found) => found.some((byte) => byte > 127))

export const anyLeaf: fc.Arbitrary<RubyValue> = fc.oneof(
  { weight: 8, arbitrary: anyString },
  { weight: 3, arbitrary: integer },
  fc.constantFrom<RubyValue>(null, true, false),
  float,
  symbol,
  time,
  date,
  bytes,
)

const fieldNames = ['uuid', 's_id', 'state', 'is_loopback', 'from', 'to', 'y_1', 'имя', '_a', 'T']
const classNames = ['Channel_states', 'TerminalDialno', 'Terminal::TerminalDialno']

/** Keys of which no two are the same to Ruby. */
function distinct(pairs: readonly (readonly [RubyValue, RubyValue])[]): (readonly [RubyValue, RubyValue])[] {
  const seen = new Set<string>()
  return pairs.filter(([key]) => {
    const name = typeof key === 'object' && key !== null ? undefined : `${typeof key} ${String(key)}`
    if (name === undefined || seen.has(name)) return false
    seen.add(name)
    return true
  })
}

function mapOf(className: string | undefined, pairs: readonly (readonly [RubyValue, RubyValue])[]): RubyMap {
  return new RubyMap(
    className,
    pairs.map(([key]) => key),
    pairs.map(([, value]) => value),
  )
}

const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...fieldNames) },
  anyString,
  fc.nat(99),
  fc.constantFrom(true, null),
)

/** Any value that a message may hold; nothing in it is shared. */
export const anyValue: fc.Arbitrary<RubyValue> = fc.letrec<{
  value: RubyValue
  list: RubyValue[]
  hash: RubyMap
  object: RubyMap
}>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'value' },
    { weight: 3, arbitrary: anyLeaf },
    tie('list'),
    { weight: 2, arbitrary: tie('hash') },
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 5, depthIdentifier: 'value' }),
  hash: fc
    .array(fc.tuple(key, tie('value')), { maxLength: 6, depthIdentifier: 'value' })
    .map((pairs) => mapOf(undefined, distinct(pairs))),
  object: fc
    .tuple(
      fc.constantFrom(...classNames),
      fc.uniqueArray(fc.constantFrom(...fieldNames), { maxLength: 5 }),
      fc.array(tie('value'), { minLength: 5, maxLength: 5, depthIdentifier: 'value' }),
    )
    .map(([name, fields, values]) =>
      mapOf(
        name,
        fields.map((field, i) => [field, values[i] ?? null] as const),
      ),
    ),
})).value

export const CLASSES: ReadonlySet<string> = new Set(classNames)
