import { type LegPlan, planOf } from '../destination.js'
import { isUp, when } from '../facts.js'
import { type Dialled, dialLegs, limit } from '../legs.js'
import type { NodeContext, NodeMethod, NodeRequest } from '../method.js'
import { resultOf } from '../outcome.js'
import { accepted, done, failed, noController, type Result, unsupported } from '../result.js'

/** Applications of a dialled leg that come to what it does in any case. */
const PARKS: ReadonlySet<string> = new Set(['park', ''])

/**
 * Dial: legs one after another, or all at once. Answered as soon as it is understood, with the uuid of the first
 * leg; what came of it follows as a result of the same id, and as events of the legs.
 */
export const dial: NodeMethod = {
  on: 'node',
  async run(node, request) {
    const { controller, params } = request
    if (controller === undefined) return noController()
    const apps = (params.apps ?? []) as readonly { readonly app?: string }[]
    const other = apps.find(({ app = '' }) => !PARKS.has(app))
    if (other !== undefined) return unsupported(`applications on a dialled leg, such as ${String(other.app)}`)
    const planned = await planOf(node, params.destination)
    if ('refused' in planned) return planned.refused
    const { plan } = planned
    const dialled = dialLegs(node, plan, { controller, stopped: new AbortController().signal })
    follow(node, request, dialled).catch((error: unknown) => {
      node.log.error('a dial failed', { err: error })
      if (request.id !== undefined)
        node.later(controller, request.id, { ...failed('unknown: an unexpected fault'), node_uuid: node.nodeUuid })
    })
    return accepted({ uuid: plan.legs[0].uuid })
  },
}

async function follow(node: NodeContext, { controller, id }: NodeRequest, dialling: Promise<Dialled>): Promise<void> {
  const dialled = await dialling
  if (dialled.kind === 'ready') {
    const { uuid } = dialled.leg
    await node.calls.tell([{ kind: 'channel', id: uuid, node: node.nodeUuid, change: 'ready', flags: { ready: true } }])
  }
  if (controller !== undefined && id !== undefined) {
    const leg = dialled.kind === 'stopped' ? {} : { uuid: dialled.leg.uuid }
    node.later(controller, id, { ...(await outcomeOf(node, dialled)), node_uuid: node.nodeUuid, ...leg })
  }
  if (dialled.kind === 'ready' && dialled.early) await limitOnceAnswered(node, dialled.leg)
}

async function limitOnceAnswered(node: NodeContext, leg: LegPlan): Promise<void> {
  if (leg.maxDurationS === 0) return
  const known = new AbortController()
  const up = node.happenings.wait(leg.uuid, when(isUp), { signal: known.signal, timeoutMs: leg.timeoutS * 1000 })
  // It may have been answered while its early sound was told of.
  const isUpAlready = (await node.calls.find(leg.uuid))?.state === 'answered'
  if (isUpAlready) known.abort()
  if (isUpAlready || (await up).kind === 'told') await limit(node, leg)
}

/** What dialling came to, as a result. */
async function outcomeOf(node: NodeContext, dialled: Dialled): Promise<Result> {
  if (dialled.kind === 'ready') return done()
  if (dialled.kind === 'stopped') return resultOf(node, '', { kind: 'stopped' }, 'Dial')
  if (dialled.kind === 'lost') return resultOf(node, dialled.leg.uuid, { kind: 'lost' }, 'Dial')
  return notTaken(node, dialled.cause)
}

/** The result of a call that nobody took. */
export function notTaken({ tables }: NodeContext, cause: string): Result {
  return { code: tables.codeOf(cause), message: 'Dial Error', cause }
}
