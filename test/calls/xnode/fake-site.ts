import {
  type CommandLog,
  controllersBelow,
  makeXNode,
  type Otherwise,
  type Result,
  type SteeredCalls,
  type SteeringTables,
} from '../../../src/calls/xnode/index.js'
import type { Channel, ChannelFact, Fact } from '../../../src/model/index.js'
import { createLog } from '../../../src/telemetry/index.js'
import { AriError, type AriRest } from '../../../src/transports/ari-client/index.js'

/** What Asterisk answers to `POST bridges/x`: a value, or an error that is thrown. */
export type Answers = (request: string, body: Readonly<Record<string, unknown>>) => unknown

/** Asterisk's refusal by a status. */
export const refused = (status: number) => new AriError(status, `refused with ${status}`)

export const log = createLog({ level: 'silent', format: 'json' })

const TABLES: SteeringTables = {
  endpointOf: (dialString) => `PJSIP/${dialString}`,
  mediaOf: (data) => `sound:${data}`,
  speechOf: () => undefined,
  causeNumber: () => 16,
  codeOf: () => 500,
  placeOf: () => undefined,
}

/** Lets what was begun go as far as it can without time. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A node whose Asterisk answers what a test says, and tells nothing by itself. */
export function fakeSite(
  answers: Answers = () => undefined,
  more: {
    readonly otherwise?: Otherwise
    readonly acceptWithinMs?: number
    readonly shutdownWithinMs?: number
    readonly begin?: CommandLog['begin']
  } = {},
) {
  const known = new Map<string, Channel>()
  const asked: string[] = []
  const told: Fact[] = []
  const late: (readonly [controller: string, id: string, result: Result])[] = []
  const waiting = new Map<string, (result: Result) => void>()
  let [last, left] = [0, 0]
  const ari: AriRest = {
    async request(method, path, { body = {}, query } = {}) {
      const request = `${method} ${path.join('/')}${query === undefined ? '' : `?${new URLSearchParams(query)}`}`
      asked.push(request)
      const answer = await answers(request, body)
      if (answer instanceof Error) throw answer
      return answer
    },
    renew: () => undefined,
    reopen: () => undefined,
    close: async () => undefined,
  }
  const hold = async (facts: readonly Fact[]) => {
    told.push(...facts)
    for (const fact of facts) {
      if (fact.kind !== 'channel' || fact.id === undefined) continue
      const { change: _, ...channel } = fact
      if (fact.state === 'ended') known.delete(fact.id)
      else known.set(fact.id, { ...known.get(fact.id), ...(channel as Channel) })
    }
  }
  const calls: SteeredCalls = {
    find: async (uuid) => known.get(uuid),
    async claim(uuid, controller) {
      if (!known.has(uuid)) return 'unknown'
      known.set(uuid, { ...known.get(uuid)!, controller })
      return 'owned'
    },
    tell: hold,
    plan: hold,
    unplan: async () => undefined,
    all: async () => [...known.values()],
  }
  const node = makeXNode({
    commands: { begin: more.begin ?? (async () => () => undefined) },
    nodeUuid: 'n1',
    app: 'patchbay',
    ari,
    calls,
    tables: TABLES,
    controllers: controllersBelow(() => 'cn.xswitch.ctrl'),
    acceptWithinMs: more.acceptWithinMs ?? 60_000,
    otherwise: more.otherwise ?? { hangup: 18 },
    shutdownWithinMs: more.shutdownWithinMs ?? 0,
    announce: () => undefined,
    update: () => undefined,
    leave: () => void left++,
    reply: (to, body) => waiting.get(to)!((JSON.parse(Buffer.from(body).toString()) as { result: Result }).result),
    answered: () => undefined,
    later: (...all) => void late.push(all),
    log,
  })
  node.back()

  return {
    node,
    known,
    asked,
    told,
    late,
    hasLeft: () => left > 0,
    /** Channels that are there, answered and owned. */
    there(...uuids: readonly string[]) {
      for (const id of uuids) known.set(id, { id, state: 'answered', controller: 'c1' } as Channel)
    },
    /** What Asterisk tells, of one channel. */
    tell(id: string, fact: Partial<ChannelFact>) {
      const whole: ChannelFact = { kind: 'channel', id, ...fact }
      if (fact.state === 'ended') known.delete(id)
      node.note([whole])
    },
    note: (...facts: readonly Fact[]) => node.note(facts),
    ask(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<Result> {
      const id = String(++last)
      const params_ = { ctrl_uuid: 'c1', ...params }
      const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method: `XNode.${method}`, params: params_ }))
      return new Promise((resolve, reject) => {
        waiting.set(id, resolve)
        node.take({ address: { subject: 's', reply: id }, headers: {}, body }).catch(reject)
      })
    },
  }
}

export type FakeSite = ReturnType<typeof fakeSite>
