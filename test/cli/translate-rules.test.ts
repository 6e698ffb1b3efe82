import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runCli } from '../../src/cli/index.js'
import { ruledTranslator } from '../../src/cli/translate/rules.js'
import type { Translated } from '../../src/cli/translate/translator.js'
import { shippedMapping } from '../../src/config/index.js'
import { openDialects } from '../../src/gateway/dialects.js'

const opened = openDialects(['voice-events.yaml', 'xcc.yaml'].map(shippedMapping))
if ('faults' in opened) throw new Error('the shipped mappings are faulty')
const { dialects } = opened

const fixture = (name: string) => readFileSync(new URL(`../fixtures/voice-events/${name}.yaml`, import.meta.url))
const line = (name: string) => ({ address: undefined, headers: {}, body: fixture(name) })

function events(translated: readonly Translated[]) {
  return translated.map((each) => {
    if (each.kind !== 'frame') throw new Error('want frames')
    return JSON.parse(Buffer.from(each.frame.body).toString()) as { method: string; params: Record<string, unknown> }
  })
}

test('messages one after another are told by the rules of the target, as a gateway would', async () => {
  const rules = ruledTranslator({ dialects, from: 'voice-events', to: 'xcc', at: 1_700_000_000_000 })
  const first = events(await rules.take(line('seed-channel-call-state')))
  const second = events(await rules.take(line('made-call-state-hangup')))
  expect(first.map(({ params }) => params.state)).toEqual(['START', 'MEDIA', 'RINGING', 'ANSWERED'])
  expect(second.map(({ method, params }) => [method, params.state])).toEqual([
    ['Event.CDR', undefined],
    ['Event.Channel', 'DESTROY'],
  ])
  expect(first[0]!.params.create_epoch).toBe(1_700_000_000)
})

test('without a time none is made up', async () => {
  const rules = ruledTranslator({ dialects, from: 'voice-events', to: 'xcc' })
  const [start] = events(await rules.take(line('seed-channel-call-state')))
  expect(Object.keys(start!.params).filter((name) => name.endsWith('_epoch'))).toEqual([])
})

test('facts have no rules: asking for them is wrong use', async () => {
  const errors: string[] = []
  const io = {
    stdin: (async function* () {})(),
    env: {},
    out: () => Promise.resolve(),
    err: (text: string) => void errors.push(text),
  }
  expect(await runCli(['translate', '--from', 'voice-events', '--to', 'facts', '--rules'], io)).toBe(2)
  expect(errors.join()).toContain('--rules')
})
