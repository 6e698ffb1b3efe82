import { expect, onTestFinished, test } from 'vitest'
import { type GatewayProcess, runGateway } from '../faults/gateway-process.js'
import { until } from '../faults/site.js'

const TOKEN = 'a-token-of-the-tests'
const PASSWORD = 'a-password-of-the-tests'

/** Links to nobody: what is told of them has to be true all the same. */
const yamlWith = (admin: string, pattern = 'voice_events') => `
group: gw
mappings: [site.yaml, patchbay/xcc.yaml]
${admin}
links:
  legacy: { type: amqp, dialect: voice-events, url: 'amqp://127.0.0.1:9', username: gw, password: ${PASSWORD} }
  bus: { type: nats, dialect: xcc, servers: ['nats://127.0.0.1:9'], username: gw, password: ${PASSWORD} }
routes:
  - { from: legacy, to: bus, name: ${pattern} }
`
const mapping = (field: string) => `
mapping: v1
dialect: voice-events
extends: patchbay/voice-events.yaml
messages: { channel-states: { item: { fields: { dept: ${field} } } } }
`

async function run(admin: string, files: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
  const gateway = await runGateway(yamlWith(admin), [], { 'site.yaml': mapping('vars.dept'), ...files })
  onTestFinished(() => gateway.remove())
  return gateway
}

interface Status {
  readonly revision: string
  readonly uptimeSeconds: number
  readonly links: Readonly<Record<string, { readonly ready: boolean; readonly lastError?: { readonly code: string } }>>
}

interface Outcome {
  readonly outcome: string
  readonly revision: string
}

const outcomeOf = async (answer: Response) => [answer.status, (await answer.json()) as Outcome] as const // as the path answers

test('the rules are looked at when somebody with the token asks for it', async () => {
  const gateway = await run('reload: { everyMs: 0 }\nadmin: { port: 0, token: { file: token } }', {
    token: `${TOKEN}\n`,
  })
  expect((await gateway.post('/reload')).status).toBe(401)
  expect((await gateway.post('/reload', `${TOKEN}x`)).status).toBe(401)
  const { revision } = await gateway.json<Status>('/status')
  expect(await outcomeOf(await gateway.post('/reload', TOKEN))).toEqual([200, { outcome: 'unchanged', revision }])
  gateway.write({ 'site.yaml': mapping('nonsense') })
  expect(await outcomeOf(await gateway.post('/reload', TOKEN))).toEqual([
    422,
    {
      outcome: 'refused',
      revision,
      refused: {
        at: expect.any(String),
        reason: 'the files have faults',
        faults: [expect.objectContaining({ code: expect.stringMatching(/^mapping\./), line: 5 })],
      },
    },
  ])
  gateway.write({ 'site.yaml': mapping('vars.other') })
  const [status, applied] = await outcomeOf(await gateway.post('/reload', TOKEN))
  expect([status, applied.outcome]).toEqual([200, 'applied'])
  expect(applied.revision).not.toBe(revision)
  expect((await gateway.json<Status>('/status')).revision).toBe(applied.revision)
  expect(gateway.lines.join('\n')).not.toContain(TOKEN)
})

test('without a token nobody changes anything, and the status tells what is wrong but no secret', async () => {
  const gateway = await run('admin: { port: 0 }')
  expect((await gateway.post('/reload', TOKEN)).status).toBe(403)
  await until(async () => (await gateway.json<Status>('/status')).links.legacy?.lastError !== undefined)
  const status = await gateway.json<Status>('/status')
  expect(status).toMatchObject({
    group: 'gw',
    ready: false,
    links: {
      legacy: { ready: false, inFlight: 0, lastError: { code: 'link.connect' } },
      bus: { ready: false },
    },
    routes: [{ name: 'voice_events', from: 'legacy', to: 'bus', ready: false, sent: 0 }],
    leases: [],
  })
  expect(JSON.stringify(status)).not.toContain(PASSWORD)
  expect(await gateway.status('/livez')).toBe(200)
  expect(await gateway.status('/readyz')).toBe(503)
})
