import type { Fact, FactOf } from '../../model/index.js'
import type { Log } from '../../telemetry/index.js'
import { type AriRest, hasStatus } from '../../transports/ari-client/index.js'
import { leftBridge } from './facts.js'
import { makeBridge } from './make-bridge.js'

/** Someone in a conference. */
export interface Member {
  readonly uuid: string
  /** Short name within the room, as native commands use it. */
  readonly id: number
  readonly moderator: boolean
  /** The room ends when this one leaves. */
  readonly endsRoom: boolean
  /** UTC milliseconds. */
  readonly since: number
  muted: boolean
  deaf: boolean
}

/** A conference: a mixing bridge and who is in it. */
export interface Room {
  readonly name: string
  readonly bridge: string
  /** UTC milliseconds. */
  readonly since: number
  readonly members: ReadonlyMap<string, Member>
  /** Name of the recording that runs. */
  recording: string | undefined
  /** It ends when only one is left. */
  mintwo: boolean
}

/** What a member is or does, by the flags that conferences know. */
export type MemberChange = 'mute' | 'unmute' | 'deaf' | 'undeaf'

/** The conferences of one node. A room is there as long as someone is in it. */
export interface Rooms {
  find(name: string): Room | undefined
  all(): readonly Room[]
  /** Puts a channel into a room, which is made if there is none. Rejects with what Asterisk says against it. */
  enter(name: string, guest: Omit<Member, 'id' | 'since'>, mintwo: boolean): Promise<Room>
  /** Strikes a member off: it has left. */
  left(name: string, uuid: string): Promise<void>
  /** Takes members out. */
  kick(room: Room, members: readonly Member[]): Promise<void>
  change(room: Room, member: Member, change: MemberChange): Promise<void>
  /** A channel was silenced, or is not any more: `in` is what it says, `out` what it hears. */
  noteMute(uuid: string, how: { readonly direction: string; readonly off: boolean }): void
  /** Who left a room or ended is not in it any more; a room that stood before this gateway began is known again. */
  note(fact: Fact): void
}

/** What they are made of. */
export interface RoomsParts {
  readonly nodeUuid: string
  readonly ari: AriRest
  tell(facts: readonly Fact[]): Promise<void>
  readonly log: Log
}

/** The id of a room's bridge begins so; its name follows, so that a room is found again by any gateway. */
const BRIDGE_PREFIX = 'conference-'

/** Id of the bridge that a room is. */
export const roomBridge = (name: string): string => BRIDGE_PREFIX + name

interface OwnRoom extends Room {
  readonly members: Map<string, Member>
  lastId: number
}

/** Makes the rooms of a node; there are none yet. */
export function makeRooms({ nodeUuid, ari, tell, log }: RoomsParts): Rooms {
  const rooms = new Map<string, OwnRoom>()
  /** What is done to the bridge of a room, one after another. */
  const lines = new Map<string, Promise<unknown>>()

  function inLine<T>(name: string, task: () => Promise<T>): Promise<T> {
    const run = (lines.get(name) ?? Promise.resolve()).then(task)
    const settled = run.catch(() => undefined).then(() => void (lines.get(name) === settled && lines.delete(name)))
    lines.set(name, settled)
    return run
  }

  async function say(room: Room, member: Member, action: string): Promise<void> {
    const { name: conference } = room
    const fact = { kind: 'conference', name: conference, channel: member.uuid, node: nodeUuid, action } as const
    await tell([{ ...fact, muted: member.muted }])
  }

  function add(name: string): OwnRoom {
    const bridge = roomBridge(name)
    const room: OwnRoom = {
      name,
      bridge,
      since: Date.now(),
      members: new Map(),
      lastId: 0,
      recording: undefined,
      mintwo: false,
    }
    rooms.set(name, room)
    return room
  }

  async function open(name: string): Promise<OwnRoom> {
    const known = rooms.get(name)
    if (known !== undefined) return known
    const bridge = roomBridge(name)
    try {
      await makeBridge(ari, bridge, { keys: true, name })
    } catch (error) {
      // It stands already, from before this gateway began.
      if (!hasStatus(error, 409)) throw error
    }
    return add(name)
  }

  function enter(name: string, guest: Omit<Member, 'id' | 'since'>, mintwo: boolean): Promise<Room> {
    return inLine(name, async () => {
      const room = await open(name)
      const member: Member = { ...guest, id: ++room.lastId, since: Date.now() }
      room.members.set(guest.uuid, member)
      try {
        await hush(member, true)
        await ari.request('POST', ['bridges', room.bridge, 'addChannel'], { body: { channel: guest.uuid } })
      } catch (error) {
        room.members.delete(guest.uuid)
        await hush(member, false).catch(() => undefined)
        await takeDown(name).catch(() => undefined)
        throw error
      }
      room.mintwo ||= mintwo
      await say(room, member, 'join')
      return room
    })
  }

  /** Makes a channel mute or deaf as its member is, or neither any more. Sound comes `in` from a channel. */
  async function hush({ uuid, muted, deaf }: Member, on: boolean): Promise<void> {
    const ways = [...(muted ? ['in'] : []), ...(deaf ? ['out'] : [])]
    for (const direction of ways)
      await ari.request(on ? 'POST' : 'DELETE', ['channels', uuid, 'mute'], { query: { direction } })
  }

  function left(name: string, uuid: string): Promise<void> {
    return inLine(name, async () => {
      const room = rooms.get(name)
      const member = room?.members.get(uuid)
      if (room === undefined || member === undefined) return
      room.members.delete(uuid)
      // A channel that goes on is heard again; one that is gone does not mind.
      await hush(member, false).catch(() => undefined)
      await say(room, member, 'leave')
      const rest = [...room.members.values()]
      if (member.endsRoom || (room.mintwo && rest.length === 1)) await kick(room, rest)
      if (rest.length === 0) await takeDown(name)
    })
  }

  function leaves(name: string, uuid: string): void {
    left(name, uuid).catch((error: unknown) =>
      log.warn('a conference could not be left', { conference: name, err: error }),
    )
  }

  /** A room in a full picture. What its members may do there was known to the gateway that let them in. */
  function recall({ id = '', full, members = [] }: FactOf<'bridge'>): void {
    const name = id.slice(BRIDGE_PREFIX.length)
    if (full !== true || !id.startsWith(BRIDGE_PREFIX) || members.length === 0 || rooms.has(name)) return
    void inLine(name, async () => {
      if (rooms.has(name)) return
      const room = add(name)
      for (const uuid of members) {
        const rights = { moderator: false, endsRoom: false, muted: false, deaf: false }
        room.members.set(uuid, { uuid, ...rights, id: ++room.lastId, since: Date.now() })
      }
    })
  }

  async function kick(room: Room, members: readonly Member[]): Promise<void> {
    for (const { uuid: channel } of members) {
      try {
        await ari.request('POST', ['bridges', room.bridge, 'removeChannel'], { query: { channel } })
      } catch (error) {
        // It left by itself meanwhile.
        if (!hasStatus(error, 400, 404, 409, 422)) throw error
      }
    }
  }

  /** To be called in line. */
  async function takeDown(name: string): Promise<void> {
    if ((rooms.get(name)?.members.size ?? 0) > 0) return
    const bridge = roomBridge(name)
    try {
      const there = (await ari.request('GET', ['bridges', bridge])) as { channels?: readonly unknown[] }
      if ((there.channels?.length ?? 0) > 0) return
      rooms.delete(name)
      await ari.request('DELETE', ['bridges', bridge])
    } catch (error) {
      if (hasStatus(error, 404)) rooms.delete(name)
      else log.warn('an empty conference could not be taken down', { conference: name, err: error })
    }
  }

  return {
    find: (name) => rooms.get(name),
    all: () => [...rooms.values()],
    enter,
    left,
    kick,
    async change(room, member, change) {
      const [direction, on] = CHANGES[change]
      await ari.request(on ? 'POST' : 'DELETE', ['channels', member.uuid, 'mute'], { query: { direction } })
      if (direction === 'in') member.muted = on
      else member.deaf = on
      await say(room, member, change)
    },
    noteMute(uuid, { direction, off }) {
      for (const { members } of rooms.values()) {
        const member = members.get(uuid)
        if (member !== undefined && direction !== 'out') member.muted = !off
        if (member !== undefined && direction !== 'in') member.deaf = !off
      }
    },
    note(fact) {
      if (fact.kind === 'bridge') return recall(fact)
      if (fact.kind !== 'channel' || fact.id === undefined) return
      const { id: uuid, state } = fact
      if (state === 'ended') {
        for (const { name, members } of rooms.values()) if (members.has(uuid)) leaves(name, uuid)
      } else if (leftBridge(fact)) {
        const { id = '', members = [] } = fact.bridge ?? {}
        if (!id.startsWith(BRIDGE_PREFIX)) return
        const name = id.slice(BRIDGE_PREFIX.length)
        leaves(name, uuid)
        if (members.length === 0) void inLine(name, () => takeDown(name))
      }
    },
  }
}

const CHANGES: Readonly<Record<MemberChange, readonly ['in' | 'out', boolean]>> = {
  mute: ['in', true],
  unmute: ['in', false],
  deaf: ['out', true],
  undeaf: ['out', false],
}

/** Id of a room in answers: rooms of one name after each other differ. */
export function roomUuid({ bridge, since }: Room): string {
  return `${bridge}-${since.toString(36)}`
}
