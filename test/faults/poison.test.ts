import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { patchbay } from '../cli/run.js'
import { listen } from './controller.js'
import { AS_SHIPPED, MENDED, poisoned, SITE_FILE, WITH_SITE_FILE } from './poisoned.js'
import { configuration, DEAD_LETTERS, openSite, publishAll, startGateway, until } from './site.js'

const POISON = 200
test('200 messages that no rule reads are dead letters; once the mapping is mended while the gateway runs, replay brings all of them', async () => {
  const { amqpUrl, nats, legacy } = await openSite()
  const yaml = configuration(amqpUrl, nats.url, {
    top: `${WITH_SITE_FILE}\nreload: { everyMs: 0 }`,
  })
  const gateway = await startGateway(yaml, { [SITE_FILE]: AS_SHIPPED })
  await gateway.untilReady()
  const controller = await listen(nats.url)
  await publishAll(
    legacy,
    Array.from({ length: POISON }, (_, at) => poisoned(`poison-${at}`, 'RINGING')),
    true,
  )
  await until(async () => (await legacy.checkQueue(DEAD_LETTERS)).messageCount === POISON)

  const config = join(mkdtempSync(join(tmpdir(), 'patchbay-poison-')), 'patchbay.yaml')
  writeFileSync(config, yaml)
  const dlq = async (...args: readonly string[]) => (await patchbay(['dlq', ...args, '-c', config])).out.toString()
  expect(await dlq('ls', '--summary')).toMatch(
    new RegExp(`^ +${POISON} {2}mapping\\.required +legacy +\\S+Z to \\S+Z\n${POISON} dead letters\n$`),
  )
  const [line = ''] = (await dlq('ls', '--json')).split('\n')
  const { id } = JSON.parse(line) as { readonly id: string }
  expect(await dlq('show', id)).toContain('call_id: poison-')

  gateway.write({ [SITE_FILE]: MENDED })
  gateway.signal('SIGHUP')
  await until(async () => (await gateway.metric('gateway_reloads_total', { outcome: 'applied' })) === 1)
  expect(await dlq('replay', '--all', '--link', 'legacy')).toBe(`${POISON} dead letters sent again\n`)
  const told = () => controller.heard.map(({ entity, word }) => `${entity} ${word}`)
  await until(() => told().length >= 2 * POISON)
  const all = Array.from({ length: POISON }, (_, at) => [`poison-${at} START`, `poison-${at} RINGING`]).flat()
  expect(told().toSorted()).toEqual(all.toSorted())
  expect((await legacy.checkQueue(DEAD_LETTERS)).messageCount).toBe(0)
  await controller.close()
})
