import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { controllersBelow, type Result, requestDesk } from '../../../src/calls/xnode/index.js'

interface Said {
  readonly to: string
  readonly body: { readonly id?: unknown; readonly result?: Result; readonly error?: { readonly code: number } }
}

/** A desk whose commands come to a result when they are told to. */
function desk(
  handle: () => Promise<Result> = async () => ({ code: 200, message: 'OK' }),
  ownerOf = async (uuid: string): Promise<string | undefined> => (uuid === 'owned' ? 'owner' : undefined),
) {
  const replies: Said[] = []
  const late: (readonly [controller: string, id: string, result: Result])[] = []
  const log: string[] = []
  const counted: string[] = []
  const { take } = requestDesk({
    nodeUuid: 'n1',
    controllers: controllersBelow(() => 'cn.xswitch.ctrl'),
    handle: (request) => {
      log.push(`${request.method} by ${request.controller}`)
      return handle()
    },
    ownerOf,
    announce: () => void log.push('announced'),
    reply: (to, body) => void replies.push({ to, body: JSON.parse(Buffer.from(body).toString()) as Said['body'] }),
    answered(method, code, milliseconds) {
      expect(milliseconds).toBeGreaterThanOrEqual(0)
      counted.push(`${method} ${code}`)
    },
    later: (...all) => void late.push(all),
  })
  return {
    replies,
    late,
    log,
    counted,
    take: (body: string | Uint8Array, reply?: string) =>
      take({ address: { subject: 's', ...(reply !== undefined && { reply }) }, headers: {}, body: Buffer.from(body) }),
  }
}

/** Without an id where that is undefined. */
const rpcOf = (method: string, params: unknown, id: unknown) => JSON.stringify({ jsonrpc: '2.0', method, params, id })
const rpc = (method: string, params: unknown, id = '7') => rpcOf(method, params, id)
const call = { ctrl_uuid: 'c1', uuid: 'u1' }

describe('a request', () => {
  test('with a reply subject is answered there, once', async () => {
    const { take, replies, late, log } = desk()
    await take(rpc('XNode.GetState', call), 'inbox')
    expect(replies).toEqual([
      {
        to: 'inbox',
        body: { jsonrpc: '2.0', id: '7', result: { node_uuid: 'n1', uuid: 'u1', code: 200, message: 'OK' } },
      },
    ])
    expect([late, log]).toEqual([[], ['XNode.GetState by c1']])
  })

  test('with a null id and a reply subject is answered all the same', async () => {
    const { take, replies } = desk()
    await take(rpcOf('XNode.GetState', call, null), 'inbox')
    expect(replies[0]?.body).toMatchObject({ id: null, result: { code: 200 } })
  })

  test('published with an id has its result on the subject of the controller, or of the owner', async () => {
    const { take, replies, late } = desk()
    await take(rpc('XNode.GetState', call))
    await take(rpc('XNode.GetState', { uuid: 'owned' }, '8'))
    await take(rpc('XNode.GetState', { uuid: 'nobody’s' }, '9'))
    expect(replies).toEqual([])
    expect(late.map(([controller, id, { code }]) => [controller, id, code])).toEqual([
      ['c1', '7', 200],
      ['owner', '8', 200],
    ])
  })

  test('has its result told to who owned the call, also when the call ended meanwhile', async () => {
    let owner: string | undefined = 'first'
    const owners = ['second', undefined]
    const { take, late } = desk(
      async () => {
        owner = owners.shift()
        return { code: 410, message: 'gone' }
      },
      async () => owner,
    )
    await take(rpc('XNode.Play', { uuid: 'u', media: { data: 'x' } }))
    await take(rpc('XNode.Play', { uuid: 'u', media: { data: 'x' } }, '8'))
    expect(late.map(([controller, id]) => [controller, id])).toEqual([
      ['second', '7'],
      // Nobody owns a call that is not there, and the second did when it was asked.
      ['second', '8'],
    ])
  })

  test.each(['a b', '*', 'a..b', 'cn.xswitch.other'])(
    'of a controller whose name is no part of a subject (%s) is refused, and nobody else is told',
    async (ctrl_uuid) => {
      const { take, replies, late, log } = desk()
      await take(rpc('XNode.Hangup', { uuid: 'owned', ctrl_uuid }), 'inbox')
      await take(rpc('XNode.Hangup', { uuid: 'owned', ctrl_uuid }))
      expect(replies.map(({ body }) => body.result)).toMatchObject([
        { code: 400, message: expect.stringContaining('ctrl_uuid') },
      ])
      expect([late, log]).toEqual([[], []])
    },
  )

  test.each([[undefined], [null], [7]])('published with the id %s is carried out and not answered', async (id) => {
    const { take, replies, late, log } = desk()
    await take(rpcOf('XNode.GetState', call, id))
    expect([replies, late, log]).toEqual([[], [], ['XNode.GetState by c1']])
  })

  const PRIVATE = ['$JS.ACK.x', '$JS.API.STREAM.DELETE.x', '$KV.patchbay-hq.a', '$SYS.REQ.x', 'patchbay.journal.hq.a']
  test.each(PRIVATE)('is not answered to %s, which whoever asks may not be allowed to write to', async (subject) => {
    const { take, replies, late } = desk()
    await take(rpc('XNode.GetState', call), subject)
    expect([replies, late.length]).toEqual([[], 1])
  })
})

describe('expect_100_trying', () => {
  const play = rpc('XNode.Play', { ...call, media: { data: 'x' }, expect_100_trying: true })
  test('is answered by 100, and by the result later', async () => {
    let end: (result: Result) => void = () => undefined
    const { take, replies, late } = desk(() => new Promise((resolve) => (end = resolve)))
    const taking = take(play, 'inbox')
    await expect.poll(() => replies.length).toBe(1)
    expect(replies[0]?.body.result).toMatchObject({ code: 100, node_uuid: 'n1' })
    end({ code: 410, message: 'gone' })
    await taking
    expect([replies.length, late.map(([, id, { code }]) => [id, code])]).toEqual([1, [['7', 410]]])
  })

  test('is answered by what kept it from beginning; then nothing follows', async () => {
    const { take, replies, late } = desk(async () => ({ code: 400, message: 'no' }))
    await take(play, 'inbox')
    expect([replies.map(({ body }) => body.result?.code), late]).toEqual([[400], []])
  })
})

describe('what cannot be understood', () => {
  test.each<readonly [string, string, number]>([
    ['no JSON', '{', -32700],
    ['an unknown method', rpc('XNode.Juggle', {}), -32601],
    ['params that are no object', rpc('XNode.GetState', [1]), -32602],
  ])('%s is an error', async (_, body, code) => {
    const { take, replies, log } = desk()
    await take(body, 'inbox')
    expect([replies.map((each) => each.body.error?.code), log]).toEqual([[code], []])
  })

  test('wrong types are 400, with each field', async () => {
    const { take, replies } = desk()
    await take(rpc('XNode.Play', { uuid: 7, media: 'x' }), 'inbox')
    expect(replies[0]?.body.result).toMatchObject({ code: 400, message: expect.stringMatching(/uuid.*media/) })
  })

  test('whatever comes: one answer to whoever waits for one, none to whoever does not, and no throw', async () => {
    const method = fc.constantFrom('XNode.GetState', 'XNode.Nope', 'Event.Channel', 7, null)
    const message = fc.record(
      { jsonrpc: fc.constant('2.0'), id: fc.jsonValue(), method, params: fc.jsonValue() },
      { requiredKeys: [] },
    )
    const body = fc.oneof(
      fc.string(),
      message.map((each) => JSON.stringify(each)),
    )
    await fc.assert(
      fc.asyncProperty(body, fc.boolean(), async (text, waits) => {
        const { take, replies, late } = desk()
        await take(text, waits ? 'inbox' : undefined)
        expect(replies.length).toBeLessThanOrEqual(waits ? 1 : 0)
        if (waits) expect(late).toEqual([])
        const isRequest = /^\{.*"method":"XNode\./.test(text)
        if (waits && isRequest) expect(replies).toHaveLength(1)
      }),
    )
  })
})

test('a controller that starts has the node announced', async () => {
  const { take, log, replies } = desk()
  await take(rpc('XNode.CtrlStartUp', {}), 'inbox')
  expect([log, replies[0]?.body.result?.code]).toEqual([['announced'], 200])
})

describe('a request is counted once', () => {
  const TRYING = { ...call, expect_100_trying: true }
  const CASES: readonly (readonly [what: string, body: string, reply: string | undefined, counted: string])[] = [
    ['with its answer', rpc('XNode.GetState', call), 'inbox', 'XNode.GetState 200'],
    ['with the result that comes later', rpc('XNode.Answer', call), undefined, 'XNode.Answer 200'],
    ['with its result, and not with the 100 before', rpc('XNode.Play', TRYING), 'inbox', 'XNode.Play 400'],
    ['as it is called by its client', rpc('XNode.ConferenceInfo2', {}), 'inbox', 'XNode.ConferenceInfo2 200'],
    ['when a controller announces itself', rpc('XNode.CtrlStartUp', {}), 'inbox', 'XNode.CtrlStartUp 200'],
    ['when it lacks something', rpc('XNode.GetState', {}), 'inbox', 'XNode.GetState 400'],
    ['when its params are none', rpc('XNode.GetState', []), 'inbox', 'XNode.GetState -32602'],
    ['by no name that came from outside', rpc('XNode.Nothing', call), 'inbox', 'other -32601'],
    ['by no name, also where its result comes later', rpc('XNode.Nothing', call), undefined, 'other 404'],
    ['when it is no JSON', '{', 'inbox', 'other -32700'],
  ]
  test.each(CASES)('%s', async (_what, body, reply, wanted) => {
    const { take, counted } = desk()
    await take(body, reply)
    expect(counted).toEqual([wanted])
  })

  test('but not where nobody can be answered, and nothing was asked', async () => {
    const { take, counted } = desk()
    await take('{')
    expect(counted).toEqual([])
  })
})
