import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { type Correlation, makeDeadLetters } from '../../src/gateway/dead-letters.js'
import type { Kept, Letters } from '../../src/gateway/state.js'
import { createLog, createMetrics } from '../../src/telemetry/index.js'
import type { Delivery, OutgoingFrame } from '../../src/transports/transport.js'

const refused = new GatewayError('link.too-large', 'the headers are too large')
const stopped = new GatewayError('gateway.stopping', 'the link was stopped first', { fate: 'retry' })

const delivery: Delivery = {
  frame: {
    address: { exchange: 'e', key: 'k' },
    headers: { theirs: 'x', 'patchbay-rule': 'stale/rule' },
    body: Buffer.from([0xff, 0x00]),
  },
  receivedAt: 0,
  redelivered: false,
  settle: () => undefined,
}

const KEPT: Kept = { written: undefined, said: () => undefined }

/** Puts one letter on a link that answers its tries one after the other. */
async function put(...answers: (GatewayError | undefined)[]) {
  const sent: OutgoingFrame[] = []
  const lines: string[] = []
  const send = (frame: OutgoingFrame) => {
    sent.push(frame)
    const answer = answers.shift()
    return answer === undefined ? Promise.resolve() : Promise.reject(answer)
  }
  const kept: Letters[] = []
  const metrics = createMetrics({ links: ['l'], routes: [], version: '0', process: false })
  const log = createLog({ level: 'info', format: 'json' }, { write: (line) => void lines.push(line) })
  const letters = makeDeadLetters(
    'l',
    { link: 'l', transport: { send }, address: { exchange: 'dead', key: '' } },
    metrics.link('l'),
    log,
    () => 0,
  )
  const error = new GatewayError('codec.malformed', 'line 1\ncolumn 2:\u0000what is that')
  const outcome = await letters.put(delivery, 'id-1', error, (some) => {
    kept.push(...some)
    return KEPT
  })
  return { outcome, sent, kept, lines, counted: await metrics.text() }
}

/** Puts one letter on a link that takes it; with the line that is logged of it. */
async function letterOf(error: GatewayError, along?: Correlation, more: Record<string, string> = {}) {
  const sent: OutgoingFrame[] = []
  const lines: string[] = []
  const metrics = createMetrics({ links: ['l'], routes: [], version: '0', process: false })
  const log = createLog({ level: 'info', format: 'json' }, { write: (line) => void lines.push(line) })
  const transport = { send: async (frame: OutgoingFrame) => void sent.push(frame) }
  const place = { link: 'l', transport, address: { exchange: 'dead', key: '' } }
  const frame = { ...delivery.frame, headers: { ...delivery.frame.headers, ...more } }
  await makeDeadLetters('l', place, metrics.link('l'), log, () => 0).put(
    { ...delivery, frame },
    'id-1',
    error,
    () => KEPT,
    along,
  )
  return { headers: sent[0]?.headers, line: JSON.parse(lines[0]!) as Record<string, unknown> }
}

describe('a dead letter', () => {
  test('carries the bytes, the headers it came with, and the reason in one line', async () => {
    const { outcome, sent, kept, counted } = await put()
    expect(outcome).toBe('done')
    expect(kept).toEqual([{ to: 'l', frames: sent }])
    expect(sent).toMatchObject([
      {
        address: { exchange: 'dead', key: '' },
        body: delivery.frame.body,
        messageId: 'id-1@1970-01-01T00:00:00.000Z',
        headers: {
          theirs: 'x',
          'patchbay-id': 'id-1',
          'patchbay-error-code': 'codec.malformed',
          'patchbay-error': 'line 1 column 2: what is that',
          'patchbay-link': 'l',
          'patchbay-dead-at': '1970-01-01T00:00:00.000Z',
          'patchbay-address': '{"exchange":"e","key":"k"}',
        },
      },
    ])
    expect(sent[0]?.headers).not.toHaveProperty('patchbay-rule')
    expect(counted).toContain('gateway_dead_letter_messages_total{link="l",code="codec.malformed"} 1')
  })

  test('carries the trace of what failed in the place of the one it came with, and the log names it', async () => {
    const along = { headers: { traceparent: 'ours' }, fields: { channel: 'c1', trace_id: 't', span_id: 's' } }
    const { headers, line } = await letterOf(new GatewayError('codec.value', 'no'), along, { Traceparent: 'theirs' })
    expect(headers).toMatchObject({ theirs: 'x', traceparent: 'ours' })
    expect(headers).not.toHaveProperty('Traceparent')
    expect(line).toMatchObject({ link: 'l', id: 'id-1', channel: 'c1', trace_id: 't', span_id: 's' })
  })

  test('has the whole reason; of what the message says the log has nothing', async () => {
    const reason = 'cid_number: want text, got the number 0008; name: want less, got the string "A\\"lice"'
    const { headers, line } = await letterOf(new GatewayError('codec.field', reason))
    expect(headers?.['patchbay-error']).toBe(reason)
    expect(line.reason).toBe('cid_number: want text, got the number … name: want less, got the string "…"')
  })

  test('goes without the headers it came with where the wire refuses them', async () => {
    const { outcome, sent } = await put(refused)
    expect(outcome).toBe('done')
    expect(sent.map(({ headers }) => headers.theirs)).toEqual(['x', undefined])
    expect(sent[1]?.body).toEqual(delivery.frame.body)
  })

  test('that nobody takes is counted and told, and left to the dead-lettering of the source', async () => {
    const { outcome, lines, counted } = await put(refused, refused)
    expect(outcome).toBe('reject')
    expect(counted).toContain('gateway_dropped_messages_total{link="l",reason="dead-letter-failed"} 1')
    expect(lines.at(-1)).toContain('could not be kept')
  })

  test('for which there is no place is counted and told', async () => {
    const lines: string[] = []
    const metrics = createMetrics({ links: ['l'], routes: [], version: '0', process: false })
    const log = createLog({ level: 'info', format: 'json' }, { write: (line) => void lines.push(line) })
    const letters = makeDeadLetters('l', undefined, metrics.link('l'), log, () => 0)
    expect(await letters.put(delivery, 'id-1', new GatewayError('codec.malformed', 'what is that'), () => KEPT)).toBe(
      'reject',
    )
    expect(lines.join()).toContain('what is that')
    const counted = await metrics.text()
    expect(counted).toContain('gateway_dead_letter_messages_total{link="l",code="codec.malformed"} 1')
    expect(counted).toContain('gateway_dropped_messages_total{link="l",reason="dead-letter-failed"} 1')
  })

  test('that the end of the gateway overtakes stays with its source', async () => {
    const { outcome, counted } = await put(stopped)
    expect(outcome).toBe('retry')
    expect(counted).toContain('gateway_dropped_messages_total{link="l",reason="dead-letter-failed"} 0')
  })
})
