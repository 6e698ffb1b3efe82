import { JetStreamApiError } from '@nats-io/jetstream'
import { AuthorizationError, PermissionViolationError, ProtocolError, RequestError } from '@nats-io/nats-core'
import { describe, expect, test } from 'vitest'
import * as amqp from '../../src/transports/amqp/errors.js'
import { backoffMs } from '../../src/transports/backoff.js'
import * as nats from '../../src/transports/nats/errors.js'
import { covers } from '../../src/transports/nats/stream.js'
import { tlsRefusal } from '../../src/transports/tls.js'

const withCode = (message: string, code: number | string) => Object.assign(new Error(message), { code })

describe('errors of opening an AMQP connection', () => {
  // Texts as amqplib 2.3.1 gives them with RabbitMQ 3.10.8.
  const cases = [
    {
      name: 'refused credentials',
      error: new Error(
        'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile."',
      ),
      fate: 'reject',
      says: 'credentials',
    },
    {
      name: 'a refused vhost',
      error: new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>'),
      fate: 'reject',
      says: 'vhost',
    },
    {
      name: 'an unknown mechanism',
      error: new Error('SASL mechanism EXTERNAL is not provided by the server'),
      fate: 'reject',
      says: 'log in',
    },
    {
      name: 'a foreign CA',
      error: withCode('self-signed certificate in certificate chain', 'SELF_SIGNED_CERT_IN_CHAIN'),
      fate: 'reject',
      says: 'TLS',
    },
    {
      name: 'nobody listening',
      error: withCode('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED'),
      fate: 'retry',
      says: 'ECONNREFUSED',
    },
    {
      name: 'a name that does not resolve',
      error: withCode('getaddrinfo ENOTFOUND b', 'ENOTFOUND'),
      fate: 'retry',
      says: 'ENOTFOUND',
    },
  ]
  for (const { name, error, fate, says } of cases) {
    test(`${name}: ${fate}`, () => {
      const read = amqp.connectError(error, 'amqp://broker:5672/')
      expect(read).toMatchObject({ code: 'link.connect', fate, cause: error })
      expect(read.message).toMatch(new RegExp(`^cannot open amqp://broker:5672/: .*${says}`))
    })
  }
})

describe('refused AMQP publications, by reply code', () => {
  const cases = [
    { name: 'no exchange', code: 404, want: 'link.refused' },
    { name: 'no permission', code: 403, want: 'link.forbidden' },
    { name: 'beyond max_message_size', code: 406, want: 'link.too-large' },
    { name: 'content too large', code: 311, want: 'link.too-large' },
  ]
  for (const { name, code, want } of cases) {
    test(name, () =>
      expect(amqp.publishRefusal(withCode('x', code), 'e', 1)).toMatchObject({ code: want, fate: 'reject' }),
    )
  }
  test('anything else may be tried again', () => {
    expect(amqp.publishRefusal(withCode('INTERNAL_ERROR', 541), 'e', 1)).toBeUndefined()
    expect(amqp.publishRefusal(new Error('x'), 'e', 1)).toBeUndefined()
  })
  test('a nack is told from the end of the channel', () => {
    expect(amqp.isNack(new Error('message nacked'))).toBe(true)
    expect(amqp.isNack(new Error('channel closed'))).toBe(false)
  })
})

describe('errors of NATS', () => {
  // Texts as nats-server 2.9.10 sends them.
  const publish = PermissionViolationError.parse('Permissions Violation for Publish to "not.ok"')
  const api = (code: number, status: number) =>
    new JetStreamApiError({ code: status, err_code: code, description: 'x' })
  const refusals = [
    { name: 'a forbidden publication', error: publish, want: 'link.forbidden' },
    { name: 'a forbidden request', error: new RequestError('x', { cause: publish }), want: 'link.forbidden' },
    { name: 'a message larger than the stream takes', error: api(10054, 400), want: 'link.too-large' },
    { name: 'a sealed stream', error: api(10109, 400), want: 'link.refused' },
    { name: 'a full stream', error: api(10077, 503), want: undefined },
    { name: 'a timeout', error: new RequestError('timeout'), want: undefined },
  ]
  for (const { name, error, want } of refusals) {
    test(`${name}: ${want ?? 'worth another try'}`, () => expect(nats.publishRefusal(error, 's', 1)?.code).toBe(want))
  }

  const opening = [
    { name: 'refused credentials', error: new AuthorizationError("'Authorization Violation'"), fate: 'reject' },
    {
      name: 'TLS trouble behind a library error',
      error: new Error('x', { cause: withCode('y', 'ERR_OSSL_UNSUPPORTED') }),
      fate: 'reject',
    },
    { name: 'anything else', error: new ProtocolError('x'), fate: 'retry' },
  ]
  for (const { name, error, fate } of opening) {
    test(`opening, ${name}: ${fate}`, () =>
      expect(nats.connectError(error, 'nats://s')).toMatchObject({ code: 'link.connect', fate }))
  }

  test('TLS codes are found through causes, other codes are not TLS', () => {
    expect(tlsRefusal(new Error('a', { cause: new Error('b', { cause: withCode('c', 'CERT_HAS_EXPIRED') }) }))).toBe(
      'CERT_HAS_EXPIRED',
    )
    expect(tlsRefusal(withCode('x', 'ECONNRESET'))).toBeUndefined()
    expect(tlsRefusal('text')).toBeUndefined()
  })
})

describe('subject patterns', () => {
  const cases = [
    ['a.>', 'a.b', true],
    ['a.>', 'a.b.>', true],
    ['a.>', 'a', false],
    ['>', 'a.*', true],
    ['a.*', 'a.b', true],
    ['a.*', 'a.*', true],
    ['a.*', 'a.>', false],
    ['a.*', 'a.b.c', false],
    ['a.b', 'a.*', false],
    ['a.b', 'a.b', true],
    ['a.b.c', 'a.b', false],
  ] as const
  for (const [pattern, subject, want] of cases) {
    test(`${pattern} ${want ? 'covers' : 'does not cover'} ${subject}`, () =>
      expect(covers(pattern, subject)).toBe(want))
  }
})

describe('pauses between tries', () => {
  const cases = [
    { attempt: 1, random: 1, want: 100 },
    { attempt: 1, random: 0, want: 50 },
    { attempt: 4, random: 1, want: 800 },
    { attempt: 8, random: 1, want: 10_000 },
    { attempt: 1000, random: 0.5, want: 7500 },
  ]
  for (const { attempt, random, want } of cases) {
    test(`try ${attempt}, chance ${random}: ${want} ms`, () => expect(backoffMs(attempt, {}, () => random)).toBe(want))
  }
})
