import { makeSharedStore, type SharedStore } from '../../src/transports/nats/index.js'

/** The store of the group `g` by itself, on one server. */
export async function openStore(url: string): Promise<SharedStore> {
  const shared = makeSharedStore({ nats: { servers: [url] }, group: 'g', copies: 1, keepMs: 3_600_000, declare: true })
  await shared.open(
    () => undefined,
    () => undefined,
  )
  return shared
}
