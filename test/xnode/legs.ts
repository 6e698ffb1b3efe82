import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { type CallerStep, placeCall, type SippRun } from '../harness/index.js'
import { type Answer, type Heard, type SteeredSite, type TestController, until } from './site.js'

let count = 0

/** An id for a leg that no other test has. */
export const newUuid = () => `leg-${++count}`

/** Dial string of a phone at a local port. */
export const phoneAt = (port: number) => `sofia/trunk/callee@127.0.0.1:${port}`

/** Waits for the result that follows a request, after any that says only that it was accepted. */
export async function outcomeOf(controller: TestController, id: string, timeoutMs?: number): Promise<Answer> {
  const found = () => controller.heard.find((each) => each.id === id && ![100, 202].includes(each.result?.code ?? 0))
  await until(
    () => found() !== undefined,
    () => `no outcome of ${id}`,
    timeoutMs,
  )
  return found()!.result!
}

/** Waits until a controller heard a word of a channel. */
export async function hears(controller: TestController, uuid: string, word: string, times = 1): Promise<void> {
  await until(
    () => controller.wordsOf(uuid).filter((each) => each === word).length >= times,
    () => `no ${word} of ${uuid}: ${controller.wordsOf(uuid).join(' ')}`,
  )
}

/** Waits for the end of a channel and gives what was told with it. */
export async function endOf(controller: TestController, uuid: string): Promise<NonNullable<Heard['params']>> {
  await hears(controller, uuid, 'DESTROY')
  return controller.heard.find(({ params }) => params?.uuid === uuid && params.state === 'DESTROY')!.params!
}

/** Bridges that Asterisk has. */
export async function bridgesOf({ asterisk }: SteeredSite): Promise<readonly Bridge[]> {
  return (await asterisk.ari('GET', '/bridges')).body as readonly Bridge[] // as Asterisk documents it
}

interface Bridge {
  readonly id: string
  readonly channels: readonly string[]
}

/** Waits until no channel and no bridge is left. @throws Error that tells those which are; they are ended then. */
export async function nothingLeft({ asterisk }: SteeredSite, timeoutMs = 5000): Promise<void> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const lists = await Promise.all(
      ['/channels', '/bridges'].map(async (path) => (await asterisk.ari('GET', path)).body),
    )
    if (lists.every((list) => Array.isArray(list) && list.length === 0)) return
    if (Date.now() > end) {
      // The next test begins with nothing all the same.
      for (const [kind, list] of Object.entries({ bridges: lists[1], channels: lists[0] }))
        for (const { id } of list as readonly { readonly id: string }[]) await asterisk.ari('DELETE', `/${kind}/${id}`)
      throw new Error(`left behind: ${JSON.stringify(lists)}`)
    }
    await delay(20)
  }
}

/** Has a caller enter the application and takes its call. */
export async function takenCall(controller: TestController): Promise<string> {
  const uuid = await controller.nextCall()
  expect(await controller.ask('Answer', { uuid })).toMatchObject({ code: 200 })
  return uuid
}

/** A caller whose call the controller answered. It stays until it is hung up unless `steps` say otherwise. */
export async function answeredCaller(
  { asterisk }: SteeredSite,
  controller: TestController,
  steps: readonly CallerStep[] = ['hungUp'],
  from = '1001',
): Promise<{ readonly uuid: string; readonly caller: SippRun }> {
  const caller = await placeCall(asterisk, { from, to: '600', steps: ['answered', ...steps] })
  return { uuid: await takenCall(controller), caller }
}

/** A leg of the controller to a service of the dialplan, that is up. */
export async function legTo(controller: TestController, service: string): Promise<string> {
  const uuid = newUuid()
  const destination = { call_params: [{ uuid, dial_string: `loopback/${service}/services` }] }
  expect(await controller.ask('Dial', { destination })).toMatchObject({ code: 202 })
  await hears(controller, uuid, 'READY')
  return uuid
}

/** What waits for something on the Asterisk, by the gateway's own count. */
export async function waitsOf({ gateway }: SteeredSite): Promise<number> {
  const text = await gateway.metrics.text()
  return Number(/^gateway_steering_waits\{link="ast1"\} (\d+)$/m.exec(text)?.[1])
}
