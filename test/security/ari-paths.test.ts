import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { answerError } from '../../src/transports/ari-client/errors.js'
import { type AriRest, makeRest } from '../../src/transports/ari-client/rest.js'

const SEED = process.env.FC_SEED === undefined ? Date.now() & 0x7fffffff : Number(process.env.FC_SEED)

/** Request lines and headers as they came, of a server that knows nothing of ARI. */
const asked: { url: string; headers: string[] }[] = []
const server = createServer((request, response) => {
  asked.push({ url: request.url ?? '', headers: request.rawHeaders })
  request.resume()
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
})
let rest: AriRest

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo // a TCP server that listens has one
  rest = makeRest({
    url: `http://127.0.0.1:${port}`,
    credentials: { username: 'u', password: 'p' },
    app: 'a',
    node: 'n',
  })
})
afterAll(async () => {
  await rest.close()
  server.close()
})

/** What the server got of a request for a channel of this id: undefined where it was not sent. */
async function sent(id: string, query: string): Promise<{ path: string[]; query: string | null } | undefined> {
  asked.length = 0
  try {
    await rest.request('GET', ['channels', id, 'variable'], { query: { variable: query } })
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError)
    expect(asked).toEqual([])
    return undefined
  }
  expect(asked).toHaveLength(1)
  const url = new URL(`http://x${asked[0]!.url}`)
  expect(url.href).toBe(`http://x${asked[0]!.url}`) // nothing in it that a reader would shorten, such as `..`
  return { path: url.pathname.slice(1).split('/').map(decodeURIComponent), query: url.searchParams.get('variable') }
}

const CLIMBERS = [
  '..',
  '.',
  '../..',
  'a/../../asterisk/info',
  'a?x=1',
  'a#b',
  'a%2f..',
  'a\r\nHost: b',
  'a b',
  '',
  '\u0000',
  '\ud800',
  '/',
  '\\',
  '%',
  'ä',
  ';',
  'a&b=c',
]
test.each(CLIMBERS)('the id %j leads nowhere else', async (id) => {
  const got = await sent(id, id.toWellFormed())
  if (got !== undefined) expect(got).toEqual({ path: ['ari', 'channels', id, 'variable'], query: id })
})

test(`no id leads to another place, or adds a parameter (seed ${SEED})`, async () => {
  const any = fc.string({ unit: 'binary', maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(fc.oneof(any, fc.constantFrom(...CLIMBERS)), any, async (id, query) => {
      const got = await sent(id, query)
      if (got !== undefined)
        expect(got).toEqual({ path: ['ari', 'channels', id, 'variable'], query: query.toWellFormed() })
    }),
    { seed: SEED, numRuns: 200 },
  )
})

test('what is refused is not told whole: an id may be as long as a message', async () => {
  const long = 'x'.repeat(1_000_000)
  for (const path of [
    ['channels', long],
    ['channels', `${long}\n`],
  ]) {
    const error: unknown = await rest.request('GET', path).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'link.refused' })
    expect(String(error).length).toBeLessThan(1000)
  }
})

const ANSWERS = [
  { name: 'heads that never end', text: '<head>'.repeat(1_000_000) },
  { name: 'marks that never end', text: '<'.repeat(4_000_000) },
  { name: 'blanks', text: ' '.repeat(4_000_000) },
  { name: 'a message of megabytes', text: JSON.stringify({ message: 'x'.repeat(4_000_000) }) },
]
test.each(ANSWERS)('an answer of $name is told in few words', ({ text }) => {
  expect(answerError('GET /x', 500, text).message.length).toBeLessThan(400)
})
