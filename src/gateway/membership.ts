import { isEar } from '../calls/xnode/index.js'
import type { Channel, ChannelFact, FactOf, Membership, Meta } from '../model/index.js'

/**
 * Brings a channel's peers and its flag `bridged` in line with the bridge it was told to be in: peers are
 * the other members, those it had before first, so that the one it was told of stays the first. An ear of ours
 * is nobody's peer.
 */
export function settleMembership(channel: Channel, before: readonly string[] | undefined, told: Membership): void {
  const { members = [] } = told
  const { id } = channel
  if (id === undefined || !members.includes(id)) {
    delete channel.bridge
    delete channel.peers
    channel.flags = { ...channel.flags, bridged: false }
    return
  }
  const others = members.filter((member) => member !== id && !isEar(member))
  const known = (before ?? []).filter((peer) => others.includes(peer))
  channel.peers = [...known, ...others.filter((member) => !known.includes(member))]
  channel.flags = { ...channel.flags, bridged: others.length > 0 }
}

/** What a fact about one leg in a bridge says of another member, of which its source says nothing itself. */
export function toldOfMember({ node, meta, bridge }: ChannelFact, member: string): ChannelFact {
  return memberFact(member, node, { ...bridge }, meta)
}

/** What a full picture of all bridges says of a channel; undefined where that changes nothing. */
export function toldByBridges(
  { id, node, bridge }: Channel,
  bridges: readonly FactOf<'bridge'>[],
  meta: Meta,
): ChannelFact | undefined {
  if (id === undefined) return undefined
  const now = bridges.find((each) => each.node === node && each.members?.includes(id))
  if (now === undefined) return bridge === undefined ? undefined : memberFact(id, node, { members: [] }, meta)
  if (bridge?.id === now.id && isSame(bridge?.members, now.members)) return undefined
  const membership: Membership = { members: [...now.members!] }
  if (now.id !== undefined) membership.id = now.id
  if (now.type !== undefined) membership.type = now.type
  return memberFact(id, node, membership, meta)
}

function memberFact(id: string, node: string | undefined, bridge: Membership, meta: Meta | undefined): ChannelFact {
  return {
    kind: 'channel',
    id,
    ...(node !== undefined && { node }),
    change: 'bridge',
    bridge,
    ...(meta !== undefined && { meta: { ...meta, id: `${meta.id}-${id}` } }),
  }
}

function isSame(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a?.length === b?.length && (a ?? []).every((member) => b?.includes(member))
}
