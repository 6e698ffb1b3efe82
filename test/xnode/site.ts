import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsConnection, Subscription } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { shippedMapping } from '../../src/config/index.js'
import {
  type AsteriskOptions,
  type FaultProxy,
  startAsterisk,
  startFaultProxy,
  startNats,
  type TestAsterisk,
  type TestNats,
} from '../harness/index.js'
import { startGateway, until } from '../integration/site.js'

export { until }

/** An event or a late result, as a controller hears it. */
export interface Heard {
  readonly subject: string
  readonly method?: string
  readonly id?: unknown
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Answer
}

/** The result of a request, or its error. */
export interface Answer {
  readonly code: number
  readonly message: string
  readonly [more: string]: unknown
}

/** A controller that speaks plain NATS: hears what is told to all and what is told to it alone. */
export interface TestController {
  readonly name: string
  readonly heard: readonly Heard[]
  /** Sends a request to a node and waits for its answer. An `error` in place of a result rejects. */
  ask(method: string, params?: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<Answer>
  /** Publishes a request without a reply subject. */
  tell(method: string, params: Readonly<Record<string, unknown>>, id?: string): Promise<void>
  /** The first channel announced that was not given out before. */
  nextCall(): Promise<string>
  /** What it heard of a channel, in short words: states, `CDR`, `DTMF 5`, names of other events. */
  wordsOf(uuid: string): string[]
  close(): Promise<void>
}

function word({ method, params = {} }: Heard): string {
  if (method === 'Event.CDR') return 'CDR'
  if (method === 'Event.DTMF') return `DTMF ${String(params.dtmf_digit)}`
  if (method !== 'Event.Channel') return String(method)
  return `${String(params.state)}${params.held === true ? ' held' : ''}`
}

/** Connects a controller. */
export async function startController(url: string, node: string, name: string): Promise<TestController> {
  const nc: NatsConnection = await connect({ servers: url })
  const heard: Heard[] = []
  const given = new Set<string>()
  const hear = (subject: string): Subscription =>
    nc.subscribe(subject, {
      callback: (_error, message) => void heard.push({ subject: message.subject, ...message.json<object>() } as Heard),
    })
  for (const subject of ['cn.xswitch.ctrl', `cn.xswitch.ctrl.${name}`, 'cn.xswitch.event.>', 'cn.xswitch.status.node'])
    hear(subject)
  await nc.flush()
  let last = 0
  const request = (method: string, params: object, id: unknown) =>
    JSON.stringify({ jsonrpc: '2.0', id, method, params: { ctrl_uuid: name, ...params } })
  return {
    name,
    heard,
    async ask(method, params = {}, timeoutMs = 30_000) {
      const body = request(`XNode.${method}`, params, String(++last))
      const reply = await nc.request(`cn.xswitch.node.${node}`, body, { timeout: timeoutMs })
      const { result, error } = reply.json<{ result?: Answer; error?: { code: number; message: string } }>()
      if (result === undefined) throw new Error(`${method}: ${error?.code} ${error?.message}`)
      return result
    },
    async tell(method, params, id) {
      nc.publish(`cn.xswitch.node.${node}`, request(`XNode.${method}`, params, id))
      await nc.flush()
    },
    async nextCall() {
      const next = () =>
        heard.find(({ params = {} }) => params.state === 'START' && !given.has(String(params.uuid)))?.params?.uuid
      await until(
        () => next() !== undefined,
        () => `no call was announced: ${heard.map(word).join(', ')}`,
      )
      const uuid = String(next())
      given.add(uuid)
      return uuid
    },
    wordsOf: (uuid) => heard.filter(({ params, method }) => method !== undefined && params?.uuid === uuid).map(word),
    close: () => nc.close(),
  }
}

/** An Asterisk steered through a gateway. */
export interface SteeredSite {
  readonly asterisk: TestAsterisk
  readonly nats: TestNats
  readonly gateway: Awaited<ReturnType<typeof startGateway>>
  controller(name?: string): Promise<TestController>
  stop(): Promise<void>
}

/** What may differ from the usual site. `asterisk` is how its Asterisk is started. */
interface SiteOptions {
  readonly asterisk?: AsteriskOptions
  readonly steer?: string
  readonly more?: string
  /** More of the bus, as YAML. */
  readonly bus?: string
  /** Local channels are announced, too. */
  readonly loopback?: boolean
  /** The address under which the gateway reaches the Asterisk, where it is not its own. */
  readonly reach?: (asterisk: TestAsterisk) => Promise<string>
}

/** A site whose gateway reaches the Asterisk through a proxy, which stops with the site. */
export async function startProxiedSite(
  options: Omit<SiteOptions, 'reach'> = {},
): Promise<{ readonly site: SteeredSite; readonly proxy: FaultProxy }> {
  let proxy: FaultProxy | undefined
  const site = await startSteeredSite({
    ...options,
    reach: async ({ httpPort, url }) => {
      proxy = await startFaultProxy(httpPort)
      return proxy.through(url)
    },
  })
  const stop = async () => {
    await site.stop()
    await proxy!.close()
  }
  return { site: { ...site, stop }, proxy: proxy! }
}

/** Starts NATS, an Asterisk and a gateway between them; the node is `ast1`. `steer` and `more` are YAML. */
export async function startSteeredSite(options: SiteOptions = {}): Promise<SteeredSite> {
  const [asterisk, nats] = await Promise.all([startAsterisk(options.asterisk), startNats()])
  const controllers: TestController[] = []
  const url = (await options.reach?.(asterisk)) ?? asterisk.url
  const gateway = await startGateway(`
group: gw
links:
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}']${options.bus === undefined ? '' : `, ${options.bus}`} }
  ast1:
    type: ari
    dialect: stasis
    url: '${url}'
    username: ${asterisk.user}
    password: ${asterisk.password}
    app: ${asterisk.app}
    reconnect: { minDelayMs: 50, maxDelayMs: 300 }
    steer: { ${options.steer ?? ''} }
routes:
  - { from: ast1, to: bus, loopback: ${options.loopback ?? false} }
${options.more ?? ''}
`)
  return {
    asterisk,
    nats,
    gateway,
    async controller(name = `app-${controllers.length + 1}`) {
      const controller = await startController(nats.url, 'ast1', name)
      controllers.push(controller)
      return controller
    },
    async stop() {
      for (const each of controllers) await each.close()
      await gateway.stop()
      await Promise.all([asterisk.stop(), nats.stop()])
    },
  }
}

/** The shipped tables of steering with hooks (YAML), as a file in a folder of its own. */
export function steeringFile(hooks: string): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-steering-'))
  const path = join(folder, 'steering.yaml')
  const shipped = readFileSync(shippedMapping('steering/asterisk.yaml'), 'utf8')
  writeFileSync(path, shipped.replace('hooks: {}', hooks))
  return { path, remove: () => rmSync(folder, { recursive: true }) }
}
