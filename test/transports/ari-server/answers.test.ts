import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ear, type Stand, stand } from './stand.js'
import { APP, bridgeCreated, bridgeDestroyed, created, destroyed, endpointState, peerStatus } from './story.js'

/** A request to a real Asterisk, and its answer. */
interface Recorded {
  readonly recording: string
  readonly method: string
  readonly url: string
  readonly credentials?: 'none' | 'wrong' | 'readonly'
  readonly sent?: string
  readonly type?: string
  readonly status: number
  readonly allow?: string
  readonly answer?: unknown
  readonly page?: string
}

const recorded = readFileSync('test/fixtures/ari-answers/answers.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded)

const USERS_OF = { none: '', wrong: 'bridge:wrong', readonly: 'readonly' }

/** Asterisk lists subscriptions in the order of a hash. */
function ordered(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return answer
  const lists = Object.entries(answer).map(([key, value]) => [
    key,
    Array.isArray(value) && value.every((item) => typeof item === 'string') ? [...value].sort() : value,
  ])
  return Object.fromEntries(lists)
}

describe.each([...new Set(recorded.map(({ recording }) => recording))])('as in the recording %s', (recording) => {
  let server: Stand
  let ear: Ear
  beforeAll(async () => {
    server = await stand()
    ear = await server.listen()
    if (recording !== 'ws-refused') await server.tell(...['sc', 'sc2', 'in-app', 'not-in-app', 'ch-1'].map(created))
    await server.tell(bridgeCreated('sb'), peerStatus('1001'), endpointState('1002'))
    for (const device of ['Custom:mystate', 'Stasis:light']) {
      await server.ask('POST', `/ari/applications/${APP}/subscription?eventSource=deviceState:${device}`)
    }
  })
  afterAll(async () => {
    ear.socket.terminate()
    await server.stop()
  })

  const cases = recorded.filter((each) => each.recording === recording)
  test.each(cases.map((each, at) => ({ at, name: `${each.method} ${each.url.slice(0, 120)}`, ...each })))(
    '$at $name: $status',
    async ({ method, url, credentials, sent, type, status, allow, answer, page }) => {
      // Before it was asked what is left, all that was subscribed to had ended.
      if (recording === 'subscriptions' && method === 'GET' && status === 200) {
        await server.tell(destroyed('sc'), destroyed('sc2'), bridgeDestroyed('sb'))
      }
      const found = await server.ask(method, url, {
        as: credentials === undefined ? 'bridge' : USERS_OF[credentials],
        body: sent,
        headers: type === undefined ? {} : { 'content-type': type },
      })
      expect({ status: found.status, body: ordered(found.body) }).toEqual({
        status,
        body: ordered(answer) ?? page ?? '',
      })
      expect(found.headers.get('allow')).toBe(allow ?? null)
      if (status === 401) expect(found.headers.get('www-authenticate')).toBe('Basic realm="Asterisk REST Interface"')
    },
  )
})
