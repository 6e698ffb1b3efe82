import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { createLog, type LogFields, scrubText } from '../../src/telemetry/index.js'

const SEED = process.env.FC_SEED === undefined ? Date.now() & 0x7fffffff : Number(process.env.FC_SEED)

/** What a log with these secrets writes of a message and its fields, in both formats. */
function written(message: string, fields: LogFields, secrets: readonly string[] = []): string[] {
  return (['json', 'text'] as const).map((format) => {
    const lines: string[] = []
    const log = createLog({ level: 'debug', format }, { write: (line) => lines.push(line) }, secrets)
    log.info(message, fields)
    expect(lines).toHaveLength(1)
    return lines[0]!
  })
}

const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

const forgeries = [
  { name: 'a line break', text: 'x\n21:35:28.123 INFO  all is well' },
  { name: 'a carriage return', text: 'x\rINFO' },
  { name: 'an escape of a terminal', text: '\u001b[2J\u001b]0;title\u0007' },
  { name: 'an escape of one byte', text: '\u009b2J' },
  { name: 'a line separator', text: 'x\u2028y\u2029z\u0085' },
  { name: 'a turn of the reading direction', text: '\u202eabc\u2066' },
  { name: 'nothing that can be seen', text: '\ufeff\u200e\u0000' },
]
test.each(forgeries)('a value cannot forge a line or steer a terminal with $name', ({ text }) => {
  const all: LogFields[] = [
    { id: text },
    { [text]: 1 },
    { err: new Error(text) },
    { err: new GatewayError('link.lost', text) },
  ]
  for (const line of all.flatMap((fields) => [...written('m', fields), ...written(text, fields)])) {
    expect(line.endsWith('\n')).toBe(true)
    expect(line.slice(0, -1)).not.toMatch(UNSEEN)
  }
})

test(`whatever is logged, a line is one line, and JSON stays JSON (seed ${SEED})`, () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(
    fc.property(
      text,
      fc.dictionary(text, fc.oneof(text, fc.array(text), fc.dictionary(text, text))),
      (message, fields) => {
        const [json = '', plain = ''] = written(message, { fields })
        expect(() => JSON.parse(json)).not.toThrow()
        for (const line of [json, plain]) expect(line.slice(0, -1)).not.toMatch(UNSEEN)
      },
    ),
    { seed: SEED, numRuns: 100 },
  )
})

const PEM = '-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----'
const hidden: { name: string; fields: LogFields }[] = [
  { name: 'a slash in the password of a URL', fields: { url: 'amqp://u:a/hush@host' } },
  { name: 'a quote in the password of a URL', fields: { url: `amqp://u:a"'\\hush@host` } },
  { name: 'a key that is cut off', fields: { key: PEM.slice(0, -10) } },
  { name: 'two keys', fields: { key: `${PEM}\n${PEM}` } },
  { name: 'a key behind a long text', fields: { key: 'x'.repeat(5000) + PEM } },
  { name: 'a seed by the name that the configuration has for it', fields: { link: { nkeySeed: 'hush' } } },
  { name: 'what a parser quotes', fields: { err: parseFault('{"number": hush}') } },
  {
    name: 'what a codec quotes',
    fields: { err: new GatewayError('codec.field', 'uuid: want text, got the string "hush\\"hush"') },
  },
  { name: 'a secret that is known', fields: { note: 'the server said: known-secret-hush is wrong' } },
  { name: 'a known secret that JSON writes otherwise', fields: { note: 'no: a"b\\c-hush' } },
  { name: 'a known secret in the form of a URL', fields: { path: `/x?password=${encodeURIComponent('a"b\\c-hush')}` } },
  { name: 'a line of known creds', fields: { note: 'SUAMLK2ZNL35-hush' } },
]
function parseFault(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}
test.each(hidden)('no log line holds $name', ({ fields }) => {
  const secrets = ['known-secret-hush', 'a"b\\c-hush', '-----BEGIN X-----\nSUAMLK2ZNL35-hush\n-----END X-----']
  for (const line of [...written('m', fields, secrets), ...written(JSON.stringify(fields), {}, secrets)].slice(0, 2))
    expect(line).not.toContain('hush')
})

test('a known secret is taken out of messages, keys and names of methods alike', () => {
  const log = written('known-secret-hush', { 'known-secret-hush': { deep: ['known-secret-hush'] } }, [
    'known-secret-hush',
  ])
  expect(log.join('')).not.toContain('hush')
})

test('a secret that may be part of a word is left, so that lines stay readable', () => {
  expect(written('guests', { queue: 'guest' }, ['guest']).join('')).toContain('guests')
})

const HUGE = 1_000_000
const floods: { name: string; value: unknown; message?: string }[] = [
  { name: 'a megabyte of letters', value: 'a'.repeat(HUGE) },
  { name: 'a megabyte of begun URLs', value: 'a://'.repeat(HUGE / 4) },
  { name: 'a megabyte of schemes', value: 'a+'.repeat(HUGE / 2) },
  { name: 'a megabyte of begun keys', value: '-----BEGIN X-----'.repeat(HUGE / 17) },
  { name: 'a megabyte of quotes', value: new GatewayError('codec.field', '"\\'.repeat(HUGE / 2)) },
  { name: 'a hundred thousand items', value: Array.from({ length: 100_000 }, (_, at) => at) },
  {
    name: 'a hundred thousand keys',
    value: Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`k${at}`, at])),
  },
  { name: 'a message of a megabyte', value: 0, message: 'a'.repeat(HUGE) },
]
test.each(floods)('a line stays short although somebody made us tell $name', ({ value, message = 'm' }) => {
  for (const line of written(message, { value, err: value })) expect(line.length).toBeLessThan(20_000)
})

test.each(floods.filter(({ value }) => typeof value === 'string'))(
  'what is shown on the admin port takes linear time for $name',
  ({ value }) => {
    expect(JSON.parse(scrubText(JSON.stringify({ reason: value, ready: false })))).toMatchObject({ ready: false })
  },
)
