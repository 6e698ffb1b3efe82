import type { Channel, Fact } from '../../model/index.js'
import type { Log } from '../../telemetry/index.js'
import type { AriRest } from '../../transports/ari-client/index.js'
import type { Frame } from '../../transports/transport.js'
import type { Drain } from './drain.js'
import type { Figures } from './figures.js'
import type { Happenings } from './happenings.js'
import type { Result } from './result.js'
import type { Rooms } from './rooms.js'
import type { SteeringTables } from './tables.js'
import type { Turn } from './turns.js'

/** Params of a request, held to the types of their message already. */
export type Params = Readonly<Record<string, unknown>>

/** What became of an attempt to own a call. */
export type Claim = 'owned' | 'taken' | 'unknown'

/** The calls of one Asterisk as the gateway knows them. */
export interface SteeredCalls {
  find(uuid: string): Promise<Channel | undefined>
  /** Makes a controller the owner, unless another is; with `takeover` in any case. One compare-and-set. */
  claim(uuid: string, controller: string, takeover: boolean): Promise<Claim>
  /** Has the gateway take facts as if the switch had told them: also those about channels that are still to be made. */
  tell(facts: readonly Fact[]): Promise<void>
  /** Likewise, of channels that Asterisk is to make next, and is not expected to know yet. */
  plan(facts: readonly Fact[]): Promise<void>
  /** Whatever became of a channel that was planned: from now on it is where Asterisk lists it, or nowhere. */
  unplan(uuid: string): Promise<void>
  /** Calls that are up, without channels that are only planned, are only offered, or serve ourselves. */
  all(): Promise<readonly Channel[]>
}

/** A node: one Asterisk, seen by controllers. */
export interface NodeContext {
  readonly nodeUuid: string
  /** The Stasis application that calls are steered in. */
  readonly app: string
  readonly ari: AriRest
  readonly happenings: Happenings
  readonly calls: SteeredCalls
  readonly tables: SteeringTables
  readonly rooms: Rooms
  readonly figures: Figures
  readonly drain: Drain
  /** Says again that the node is there. */
  announce(): void
  /** A controller took a call: it is not unaccepted any more. */
  accepted(uuid: string): void
  /** Ends what runs on a channel. */
  stop(uuid: string): void
  /** Runs something on a channel that Stop ends: a command, or what goes on after one; with `interposes` alone. */
  goesOn<T>(uuid: string, task: (stopped: AbortSignal) => Promise<T>, interposes?: boolean): Promise<T>
  /** Publishes a result that comes later to a controller's subject. */
  later(controller: string, id: string, result: Result): void
  readonly log: Log
}

/** Requests that are being carried out, where others find them should we not come to their end. */
export interface CommandLog {
  /** Notes that one begins; resolves when that is safe, with what notes its end. */
  begin(frame: Frame): Promise<() => void>
}

/** A request to a node. */
export interface NodeRequest {
  /** As it came. */
  readonly frame: Frame
  readonly method: string
  readonly params: Params
  /** The controller that asked, where it said so. */
  readonly controller: string | undefined
  /** The id of the request, where it is a text. */
  readonly id: string | undefined
}

/** A request about one channel, which was there when the turn of the request came. */
export interface ChannelRequest extends NodeRequest {
  readonly uuid: string
  /** As it was then. */
  readonly channel: Channel
  /** Aborted by Stop. */
  readonly stopped: AbortSignal
}

/** In which a command ends that says nothing of its time. Milliseconds. */
export const DEADLINE_MS = 10_000

/** A method about one channel. */
export interface ChannelMethod {
  readonly on: 'channel'
  /** Where it depends on what is asked, by the params. */
  readonly turn: Turn | ((params: Params) => Turn)
  /** Ends by itself within this time whatever happens; milliseconds. Default {@link DEADLINE_MS}. */
  readonly deadlineMs?: number
  /** Stop ends this one, and what ran on the channel before it goes on. */
  readonly interposes?: true
  run(node: NodeContext, request: ChannelRequest): Promise<Result>
}

/** A method about the node. */
export interface NodeMethod {
  readonly on: 'node'
  readonly deadlineMs?: number
  run(node: NodeContext, request: NodeRequest): Promise<Result>
}

/** A method Asterisk has nothing for. */
export interface MissingMethod {
  readonly on: 'nothing'
  /** What is missing, as it reads behind "not possible on Asterisk:". */
  readonly lacks: string
}

export type Method = ChannelMethod | NodeMethod | MissingMethod
