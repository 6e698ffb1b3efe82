import type { Fact } from '../../../model/index.js'
import { pickUp } from '../answering.js'
import { leftBridge } from '../facts.js'
import type { Outcome } from '../happenings.js'
import type { ChannelMethod, NodeContext, NodeMethod, Params } from '../method.js'
import { refusal, resultOf } from '../outcome.js'
import { bad, cutShort, done, type Result, unsupported } from '../result.js'
import { type Member, type Room, roomBridge, roomUuid } from '../rooms.js'
import { whenTold } from '../told.js'

/** Longest time in a room, milliseconds: controllers forget a call after it. */
export const LONGEST_MS = 4 * 60 * 60 * 1000

const NAME = /^[A-Za-z0-9_][\w.+@-]{0,63}$/
const FLAGS: ReadonlySet<string> = new Set(['mute', 'vmute', 'deaf', 'moderator', 'mintwo', 'endconf'])

/** Conference: the channel is in a room until it leaves, or is taken out. Stop takes it out, too. */
export const conference: ChannelMethod = {
  on: 'channel',
  turn: 'to-the-end',
  deadlineMs: LONGEST_MS + 60_000,
  async run(node, { uuid, params, stopped }) {
    const name = String(params.name ?? '')
    if (!NAME.test(name))
      return bad('name: want up to 64 letters, digits or any of _ . + @ -, the first a letter, a digit or _')
    const flags = new Set(((params.flags ?? []) as readonly string[]).flatMap((each) => each.split('|')))
    const unknown = [...flags].find((flag) => !FLAGS.has(flag))
    if (unknown !== undefined) return unsupported(`conference flag ${unknown}; ${[...FLAGS].join(', ')} are known`)
    const refused = await pickUp(node, uuid, stopped)
    if (refused !== undefined) return refused
    return stay(node, { uuid, name, flags, stopped })
  },
}

/** An end that was asked for comes within this time. Milliseconds. */
const END_MS = 2000

interface Guest {
  readonly uuid: string
  readonly name: string
  readonly flags: ReadonlySet<string>
  readonly stopped: AbortSignal
}

async function stay(node: NodeContext, { uuid, name, flags, stopped }: Guest): Promise<Result> {
  const { happenings, rooms } = node
  let isHangingUp = false
  const isOut = (fact: Fact): true | undefined => {
    isHangingUp ||= fact.kind === 'channel' && fact.change === 'hangup'
    return leftBridge(fact) && fact.bridge?.id === roomBridge(name) ? true : undefined
  }
  const guest = {
    uuid,
    moderator: flags.has('moderator'),
    endsRoom: flags.has('endconf'),
    muted: flags.has('mute'),
    deaf: flags.has('deaf'),
  }
  if (stopped.aborted) return cutShort()
  let outcome: Outcome<true>
  try {
    outcome = await whenTold(node, uuid, isOut, { signal: stopped, timeoutMs: LONGEST_MS }, () =>
      rooms.enter(name, guest, flags.has('mintwo')),
    )
  } catch (error) {
    return refusal(node, error, uuid)
  }
  // Whoever is out of sight may still be there: what is found when the link stands again tells.
  if (outcome.kind === 'lost') return resultOf(node, uuid, outcome, 'Conference')
  // Who hangs up leaves the room a moment before its end is told.
  const ending =
    outcome.kind === 'told' && isHangingUp
      ? happenings.wait<never>(uuid, () => undefined, { timeoutMs: END_MS })
      : undefined
  const room = rooms.find(name)
  const member = room?.members.get(uuid)
  if ((outcome.kind === 'stopped' || outcome.kind === 'late') && room !== undefined && member !== undefined) {
    try {
      await rooms.kick(room, [member])
    } catch (error) {
      return refusal(node, error, uuid)
    }
  }
  await rooms.left(name, uuid)
  if (outcome.kind !== 'told') return resultOf(node, uuid, outcome, 'Conference')
  const end = await ending
  return end?.kind === 'ended' || end?.kind === 'lost' ? resultOf(node, uuid, end, 'Conference') : done()
}

/** ConferenceInfo: one room. */
export const conferenceInfo: NodeMethod = {
  on: 'node',
  async run(node, { params }) {
    const { conferenceName, showMembers } = queryOf(params)
    if (typeof conferenceName !== 'string' || conferenceName === '')
      return bad('data.data.conferenceName: want the name of a conference')
    const room = node.rooms.find(conferenceName)
    if (room === undefined) return bad(`there is no conference ${conferenceName}`)
    return done({ data: await infoOf(node, room, showMembers === true) })
  },
}

/** ConferenceList: every room; of a domain, those whose name ends with it. */
export const conferenceList: NodeMethod = {
  on: 'node',
  async run(node, { params }) {
    const { domain } = queryOf(params)
    const isOf = ({ name }: Room) =>
      typeof domain !== 'string' || domain === '' || name.endsWith(`-${domain}`) || name.endsWith(`@${domain}`)
    const rooms = node.rooms.all().filter(isOf)
    return done({ data: await Promise.all(rooms.map((room) => infoOf(node, room, true))) })
  },
}

function queryOf({ data }: Params): Params {
  const inner = (data as Params | undefined)?.data
  return typeof inner === 'object' && inner !== null ? (inner as Params) : {}
}

async function infoOf(node: NodeContext, room: Room, withMembers: boolean): Promise<Readonly<Record<string, unknown>>> {
  const members = [...room.members.values()]
  return {
    conference_name: room.name,
    conference_uuid: roomUuid(room),
    member_count: members.length,
    ghost_count: 0,
    run_time: Math.floor((Date.now() - room.since) / 1000),
    locked: false,
    running: true,
    answered: true,
    dynamic: true,
    recording: room.recording !== undefined,
    variables: {},
    ...(withMembers && { members: await Promise.all(members.map((member) => memberOf(node, member))) }),
  }
}

async function memberOf(node: NodeContext, member: Member): Promise<Readonly<Record<string, unknown>>> {
  const { uuid, id, muted, deaf, moderator, since } = member
  const channel = await node.calls.find(uuid)
  const held = channel?.flags?.held ?? false
  const { name = '', number = '' } = channel?.caller ?? {}
  return {
    type: 'caller',
    id,
    uuid,
    caller_id_name: name,
    caller_id_number: number,
    join_time: Math.floor((Date.now() - since) / 1000),
    flags: {
      can_hear: !deaf,
      can_see: false,
      can_speak: !muted,
      hold: held,
      has_video: false,
      is_moderator: moderator,
      end_conference: member.endsRoom,
    },
    memberID: String(id),
    cidNumber: number,
    cidName: name,
    status: { audio: { talking: false, deaf, muted, onHold: held, energyScore: 0, floor: false } },
    nodeUUID: node.nodeUuid,
    active: true,
  }
}
