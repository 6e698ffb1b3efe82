import { onTestFinished } from 'vitest'
import type { AriConfig } from '../../../src/transports/ari-client/config.js'
import { ariTransport } from '../../../src/transports/ari-client/index.js'
import type { Delivery } from '../../../src/transports/transport.js'
import { type Recorder, recorder } from '../recorder.js'
import { type FakeAsterisk, startFakeAsterisk } from './fake-asterisk.js'

/** Settings of a link that is quick to notice and to come back. */
export const QUICK = {
  reconnect: { minDelayMs: 10, maxDelayMs: 50 },
  pingIntervalMs: 50,
  pongTimeoutMs: 150,
  requestTimeoutMs: 2000,
  stopGraceMs: 500,
} as const

export type Event = Readonly<Record<string, unknown>>

export const parsed = (delivery: Delivery) => JSON.parse(Buffer.from(delivery.frame.body).toString('utf8')) as Event

/** Deliveries of one type of event, parsed. */
export function told(heard: Recorder, type: string): Event[] {
  return heard.deliveries.map(parsed).filter((each) => each.type === type)
}

export const ids = (things: unknown) => (things as { id: string }[]).map(({ id }) => id)

/** A link to a fake Asterisk of its own, both gone at the end of the test. */
export async function fakeLink(options: Partial<AriConfig> = {}, given?: FakeAsterisk) {
  const fake = given ?? (await startFakeAsterisk())
  const heard = recorder()
  const link = ariTransport({
    url: fake.url,
    credentials: { username: 'bridge', password: 'secret' },
    app: 'patchbay',
    node: 'ast1',
    ...QUICK,
    ...options,
  })
  onTestFinished(async () => {
    await link.stop()
    await fake.stop()
  })
  return { fake, heard, link }
}

/** The same, started and with its first pictures told. */
export async function standingLink(options: Partial<AriConfig> = {}, given?: FakeAsterisk) {
  const made = await fakeLink(options, given)
  await made.link.start(made.heard)
  await made.heard.until('consuming', 1)
  return made
}
