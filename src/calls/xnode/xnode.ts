import { decodeEnvelope } from '../../codecs/json-rpc/index.js'
import { GatewayError } from '../../errors.js'
import type { ChannelFact, Fact } from '../../model/index.js'
import type { Log } from '../../telemetry/index.js'
import type { AriRest } from '../../transports/ari-client/index.js'
import type { Frame } from '../../transports/transport.js'
import type { NodeOnOffer } from '../shared-subject.js'
import { noteBridge } from './bridges.js'
import type { Controllers } from './controllers.js'
import { makeDrain } from './drain.js'
import { type Figures, makeFigures } from './figures.js'
import { makeHappenings } from './happenings.js'
import {
  type ChannelMethod,
  type CommandLog,
  DEADLINE_MS,
  type NodeContext,
  type NodeRequest,
  type SteeredCalls,
} from './method.js'
import { noteEcho } from './methods/echo.js'
import { noteFork } from './methods/fork.js'
import { noteListener } from './methods/record.js'
import { METHODS } from './methods/table.js'
import { noteThreeWay } from './methods/three-way.js'
import { noteVariables } from './methods/variables.js'
import { doubtClaim, noteOffer } from './offer.js'
import { causeOf, orphaned, resultOf } from './outcome.js'
import { type Answered, type DeskParts, requestDesk } from './request-desk.js'
import { bad, draining, failed, gone, noSuchChannel, type Result, unsupported } from './result.js'
import { makeRooms } from './rooms.js'
import type { SteeringTables } from './tables.js'
import { makeTurns } from './turns.js'
import { type Otherwise, watchUnaccepted } from './unaccepted.js'

/** One Asterisk as controllers see it. */
export interface XNode {
  /** A request on the node's subject. */
  take(frame: Frame): Promise<void>
  /** A request that another replica began to carry out and did not come to the end of: answers that. */
  orphan(frame: Frame): Promise<void>
  /** Goes on with calls that another replica had: those that nobody accepted yet have their time again. */
  inherit(): Promise<void>
  /** What the switch told and what follows from it, in order. */
  note(facts: readonly Fact[]): void
  /** The link to the switch went away: what runs there ends as unknown, and so does what is begun until it is back. */
  lost(): void
  /** The link to the switch stands. */
  back(): void
  /** Another replica has the node: what would be done to its calls of our own accord is done there. */
  leave(): void
  /** Whether such a request is noted as begun before it is carried out. */
  isNoted(frame: Frame): boolean
  stop(): void
  /** Timers, listeners and commands that stand. */
  open(): number
  /** What is counted of its calls. */
  readonly figures: Figures
  /** Whether it takes no new calls. */
  isDraining(): boolean
  /** The node as one of several that may be asked. */
  readonly offer: NodeOnOffer
}

/** What a node is made of. */
export interface XNodeParts {
  readonly nodeUuid: string
  readonly app: string
  readonly ari: AriRest
  readonly calls: SteeredCalls
  readonly tables: SteeringTables
  readonly controllers: Controllers
  readonly commands: CommandLog
  /** Follows a request until it is answered. Default: nobody does. */
  readonly spanOf?: DeskParts['spanOf']
  /** Milliseconds in which a call must be accepted, and what becomes of it otherwise. */
  readonly acceptWithinMs: number
  readonly otherwise: Otherwise
  /** How long running calls may go on after Shutdown, milliseconds. */
  readonly shutdownWithinMs: number
  announce(): void
  /** Says how the node is. */
  update(): void
  /** Says that the node left. */
  leave(): void
  /** Sends a body to a subject. */
  reply(subject: string, body: Uint8Array): void
  readonly answered: Answered
  /** Publishes the result of a request that ends later. */
  later(controller: string, id: string, result: Result): void
  readonly log: Log
}

interface Running {
  readonly abort: AbortController
  readonly interposes: boolean
}

/** Methods that change nothing: who died over one had better been asked again. */
const REPEATABLE = /^XNode\.(Get|Status|JStatus|ConferenceInfo|ConferenceList)/
/** Code of what comes to its own end later. */
const ACCEPTED = 202
/** Methods of which that is so. */
const COMES_LATER: ReadonlySet<string> = new Set(['XNode.Dial'])
/** Methods by which a controller takes a new call. */
const OWNS: ReadonlySet<string> = new Set(['XNode.Accept', 'XNode.Answer'])

/** Makes the node of one Asterisk. */
export function makeXNode(parts: XNodeParts): XNode {
  const { nodeUuid, app, ari, calls, tables, controllers, commands, log } = parts
  const happenings = makeHappenings()
  const turns = makeTurns()
  const figures = makeFigures()
  const rooms = makeRooms({ nodeUuid, ari, tell: calls.tell, log })
  let isUp = false
  let hasStopped = false
  let lostAt = -1
  const drain = makeDrain({
    calls,
    longestMs: parts.shutdownWithinMs,
    update: parts.update,
    leave: parts.leave,
    end: (uuid) => ofOurOwn(uuid, async () => void (await ari.request('DELETE', ['channels', uuid]))),
    log,
  })
  const unaccepted = watchUnaccepted({
    ari,
    calls,
    withinMs: parts.acceptWithinMs,
    isDraining: drain.on,
    otherwise: parts.otherwise,
    ofOurOwn,
    log,
  })
  /** What runs on a channel, which Stop ends. */
  const running = new Map<string, Set<Running>>()
  const node: NodeContext = {
    nodeUuid,
    app,
    ari,
    happenings,
    calls,
    tables,
    rooms,
    figures,
    drain,
    announce: parts.announce,
    accepted: unaccepted.accepted,
    stop,
    goesOn,
    later,
    log,
  }
  const deskParts = {
    nodeUuid,
    controllers,
    spanOf: parts.spanOf,
    ownerOf: async (uuid: string) => (await calls.find(uuid))?.controller,
    announce: parts.announce,
    reply: parts.reply,
    answered: parts.answered,
    later,
  }
  const desk = requestDesk({ ...deskParts, handle: carryOut })
  const orphans = requestDesk({ ...deskParts, wasTried: true, handle: orphan })
  /** Ends of what was accepted and comes to its own end later, by who asked and the id of the request. */
  const accepted = new Map<string, (() => void)[]>()
  const nameOf = (controller: string, id: string) => `${controller} ${id}`

  function later(controller: string, id: string, result: Result): void {
    parts.later(controller, id, result)
    if (result.code === ACCEPTED) return
    over(nameOf(controller, id))
  }

  /** One that asks all things under one id is answered in the order in which it asked. */
  function over(name: string): void {
    const ends = accepted.get(name) ?? []
    ends.shift()?.()
    if (ends.length === 0) accepted.delete(name)
  }

  /**
   * Does something to a call that nobody asked for: noted before, which another replica that has the node by now
   * prevents.
   */
  async function ofOurOwn(uuid: string, work: () => Promise<void>): Promise<void> {
    const end = await commands.begin(ownRequest(nodeUuid, uuid))
    try {
      await work()
    } finally {
      end()
    }
  }

  async function carryOut(request: NodeRequest): Promise<Result> {
    const { method, frame, controller, id } = request
    if (REPEATABLE.test(method)) return handle(request)
    const end = await noted(frame)
    if (end === undefined) return failed('not done: that it begins could not be noted in time')
    const isLater = COMES_LATER.has(method) && controller !== undefined && id !== undefined
    if (!isLater) {
      const result = await handle(request)
      end()
      return result
    }
    // It may come to its end before it was said that it began.
    const name = nameOf(controller, id)
    accepted.set(name, [...(accepted.get(name) ?? []), end])
    const result = await handle(request)
    if (result.code !== ACCEPTED) over(name)
    return result
  }

  /** Undefined where that takes longer than a command may wait: then it is not carried out any more. */
  async function noted(frame: Frame): Promise<(() => void) | undefined> {
    const begun = commands.begin(frame)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), DEADLINE_MS)
    })
    try {
      const end = await Promise.race([begun, late])
      if (end === undefined)
        begun.then(
          (endLate) => endLate(),
          () => undefined,
        )
      return end
    } finally {
      clearTimeout(timer)
    }
  }

  /** It may be that its beginning was answered and its end was not. */
  async function orphan(request: NodeRequest): Promise<Result> {
    const { method, controller, id, params } = request
    const uuid = String(params.uuid)
    if (OWNS.has(method) && (await calls.find(uuid))?.flags?.offered === true) doubtClaim(node, uuid)
    const result = await orphaned(node, request)
    if (
      COMES_LATER.has(method) &&
      controller !== undefined &&
      id !== undefined &&
      request.frame.address.reply !== undefined
    )
      parts.later(controller, id, { ...result, node_uuid: nodeUuid })
    return result
  }

  function stop(uuid: string): void {
    const all = [...(running.get(uuid) ?? [])]
    const above = all.filter(({ interposes }) => interposes)
    for (const { abort } of above.length > 0 ? above : all) abort.abort()
  }

  async function goesOn<T>(uuid: string, task: (stopped: AbortSignal) => Promise<T>, interposes = false): Promise<T> {
    const mine: Running = { abort: new AbortController(), interposes }
    const there = running.get(uuid) ?? new Set()
    running.set(uuid, there.add(mine))
    try {
      return await task(mine.abort.signal)
    } finally {
      there.delete(mine)
      if (there.size === 0 && running.get(uuid) === there) running.delete(uuid)
    }
  }

  async function handle(request: NodeRequest): Promise<Result> {
    const method = METHODS.get(request.method)
    if (method === undefined) return bad(`unknown method ${request.method}`)
    if (drain.on() && request.method === 'XNode.Dial') return draining()
    if (method.on === 'nothing') return unsupported(method.lacks)
    try {
      if (method.on === 'node')
        return await within(method.run(node, request), method.deadlineMs, async () =>
          failed(`unknown: ${request.method} did not end within its time`),
        )
      return await onChannel(method, request)
    } catch (error) {
      log.error('a command failed', {
        node: nodeUuid,
        method: request.method,
        channel: request.params.uuid,
        err: error,
      })
      return failed(error instanceof GatewayError ? error.message : 'an unexpected fault')
    }
  }

  async function onChannel(method: ChannelMethod, request: NodeRequest): Promise<Result> {
    const uuid = String(request.params.uuid)
    const turn = typeof method.turn === 'function' ? method.turn(request.params) : method.turn
    const askedAt = performance.now()
    let end: ChannelFact | undefined
    let wasThere = false
    // From here on, for a channel may also end while a command waits for its turn.
    const forget = happenings.listen(uuid, (fact) => {
      if (fact.kind === 'channel' && fact.state === 'ended') end = fact
    })
    try {
      const result = await turns.run(uuid, turn, async () => {
        const waitedMs = performance.now() - askedAt
        // Media wait for each other as long as they last. What waited through an outage is not wanted any more.
        if (waitedMs > DEADLINE_MS && (turn !== 'to-the-end' || lostAt > askedAt))
          return failed(`not done: it waited for ${Math.round(waitedMs / 1000)} s`)
        const channel = await calls.find(uuid)
        if (channel === undefined) return noSuchChannel(uuid)
        wasThere = true
        if (drain.on() && channel.controller === undefined && OWNS.has(request.method)) return draining()
        return within(
          goesOn(uuid, (stopped) => method.run(node, { ...request, uuid, channel, stopped }), method.interposes),
          method.deadlineMs,
          () => resultOf(node, uuid, { kind: 'late' }, request.method),
        )
      })
      // What cannot be done to a channel that ends meanwhile is not the fault of who asked, nor of Asterisk. A result
      // with a cause says more than that.
      const isRefused = (result.code === 400 || result.code === 500) && result.cause === undefined
      if (!isRefused) return result
      // What is known of a call is ahead of what those hear who listen.
      const hasEnded = end !== undefined || (wasThere && (await calls.find(uuid)) === undefined)
      return hasEnded ? gone(causeOf(end?.cause?.name)) : result
    } finally {
      forget()
    }
  }

  return {
    take: desk.take,
    orphan: orphans.take,
    async inherit() {
      for (const channel of await calls.all())
        if (channel.flags?.controllable === true) unaccepted.note({ kind: 'channel', ...channel, change: 'control' })
    },
    note(facts) {
      for (const fact of facts) {
        unaccepted.note(fact)
        happenings.note(fact)
        figures.note(fact)
        rooms.note(fact)
        noteFork(node, fact)
        noteListener(node, fact)
        noteVariables(node, fact)
        noteOffer(node, fact)
        noteThreeWay(node, fact)
        noteEcho(node, fact)
        noteBridge(node, fact)
      }
    },
    lost() {
      isUp = false
      lostAt = performance.now()
      happenings.lost()
    },
    back() {
      if (hasStopped) return
      isUp = true
      happenings.back()
    },
    leave: unaccepted.leave,
    isNoted(frame) {
      try {
        const envelope = decodeEnvelope(frame.body)
        return envelope.kind === 'request' && !REPEATABLE.test(envelope.method)
      } catch {
        return false
      }
    },
    stop() {
      hasStopped = true
      drain.stop()
      unaccepted.stop()
      happenings.lost()
    },
    open: () => happenings.count() + turns.count() + unaccepted.count(),
    figures,
    isDraining: drain.on,
    offer: {
      uuid: nodeUuid,
      has: async (uuid) => (await calls.find(uuid)) !== undefined,
      reaches: (dialString) => tables.endpointOf(dialString) !== undefined,
      holds: (conference) => rooms.find(conference) !== undefined,
      takesCalls: () => isUp && !drain.on(),
      load: () => figures.counted().active,
      announce: parts.announce,
      take: desk.take,
    },
  }
}

/** A request of our own accord, as it is noted; nobody waits for its answer. */
function ownRequest(nodeUuid: string, uuid: string): Frame {
  const body = JSON.stringify({ jsonrpc: '2.0', method: 'XNode.Hangup', params: { uuid, node_uuid: nodeUuid } })
  return { address: {}, headers: {}, body: Buffer.from(body) }
}

/** A command that does not end in time is answered for; what it still does is its own affair. */
async function within(running: Promise<Result>, ms = DEADLINE_MS, otherwise: () => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms)
  })
  try {
    const first = await Promise.race([running, late])
    return first === 'late' ? await otherwise() : first
  } finally {
    clearTimeout(timer)
  }
}
