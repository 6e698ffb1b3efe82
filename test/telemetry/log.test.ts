import { expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { createLog, type LogFields, type LogOptions } from '../../src/telemetry/log.js'

function record(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const log = createLog({ level: 'debug', format: 'json', ...options }, { write: (line) => lines.push(line) })
  return { log, lines }
}

function fieldsOf(fields: LogFields): Record<string, unknown> {
  const { log, lines } = record()
  log.info('m', fields)
  return JSON.parse(lines[0] ?? '{}') as Record<string, unknown>
}

const secrets: { name: string; fields: LogFields }[] = [
  { name: 'a password', fields: { password: 'hush' } },
  { name: 'a password deep inside', fields: { a: { b: [{ c: { Password: 'hush' } }] } } },
  { name: 'a token that is a number', fields: { token: 4711, x: 'hush'.slice(4) } },
  { name: 'credentials in a URL', fields: { url: 'amqp://user:hush@host:5672/%2F' } },
  { name: 'a password with an at sign in a URL', fields: { url: 'amqp://u:a@hush@host' } },
  { name: 'a user alone in a URL', fields: { servers: ['nats://hush@host:4222'] } },
  { name: 'credentials in the text of an error', fields: { err: new Error('cannot reach amqp://u:hush@host') } },
  {
    name: 'credentials in the cause of an error',
    fields: { err: new GatewayError('link.connect', 'no', { cause: new Error('at nats://u:hush@h') }) },
  },
  { name: 'a private key', fields: { key: '-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----' } },
  { name: 'a body as bytes', fields: { body: Buffer.from('hush') } },
  { name: 'a body as text', fields: { frame: { body: 'hush' } } },
  { name: 'bytes under any name', fields: { x: new TextEncoder().encode('hush') } },
  { name: 'a map', fields: { headers: new Map([['authorization', 'hush']]) } },
  {
    name: 'properties that a library hangs on its errors',
    fields: { err: Object.assign(new Error('e'), { body: 'hush' }) },
  },
]
for (const { name, fields } of secrets) {
  test(`no log line holds ${name}`, () => {
    const { log, lines } = record()
    log.info('m', fields)
    log.child(fields).info('m')
    const text = record({ format: 'text' })
    text.log.info('m', fields)
    const all = [...lines, ...text.lines].join('')
    expect(all).not.toContain('hush')
    expect(all).not.toContain('4711')
    expect(lines).toHaveLength(2)
  })
}

test('what is no secret stays: keys of messages, ids, numbers', () => {
  expect(
    fieldsOf({ exchange: 'voice_events', key: 'channel.call_state', id: 'x', bytes: 12, url: 'amqp://host/v' }),
  ).toMatchObject({
    exchange: 'voice_events',
    key: 'channel.call_state',
    id: 'x',
    bytes: 12,
    url: 'amqp://host/v',
    msg: 'm',
  })
})

test('an error of ours has code, fate and cause but no stack; a bug has its stack', () => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  const err = fieldsOf({ err: new GatewayError('link.connect', 'no link', { fate: 'retry', cause }) }).err
  expect(err).toMatchObject({
    code: 'link.connect',
    fate: 'retry',
    message: 'no link',
    cause: { code: 'ECONNREFUSED' },
  })
  expect(err).not.toHaveProperty('stack')
  expect(fieldsOf({ err: new Error('bug') })).toMatchObject({
    err: { stack: expect.stringContaining('log.test') as string },
  })
})

test('values that JSON cannot hold do not break a line', () => {
  const loop: Record<string, unknown> = {}
  loop.self = loop
  expect(fieldsOf({ big: 1n, when: new Date(0), loop, none: undefined })).toMatchObject({
    big: '1',
    when: '1970-01-01T00:00:00.000Z',
  })
})

test('a child carries its fields, once', () => {
  const { log, lines } = record()
  const child = log.child({ link: 'bus' })
  child.info('a')
  child.info('b', { n: 1 })
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { link: 'bus', msg: 'a' },
    { link: 'bus', msg: 'b', n: 1 },
  ])
  expect(lines[1]?.match(/"link"/g)).toHaveLength(1)
})

test('levels: what is below is not written, and debug says so', () => {
  const { log, lines } = record({ level: 'warn' })
  log.debug('a')
  log.info('b')
  log.warn('c')
  log.error('d')
  expect(lines).toHaveLength(2)
  expect(log.isDebug).toBe(false)
  expect(record().log.isDebug).toBe(true)
})

test('text for people: one line, fields behind, odd values quoted', () => {
  const { log, lines } = record({ format: 'text' })
  const err = new GatewayError('link.connect', 'no link', { cause: new Error('refused\nby peer') })
  log.warn('link is down', { link: 'bus', attempt: 2, note: 'two words', err })
  expect(lines[0]).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} WARN {2}link is down link=bus attempt=2 note="two words" err="link\.connect: no link \(refused\\nby peer\)"\n$/,
  )
})
