import { hostname } from 'node:os'
import type { NodeContext, NodeMethod } from '../method.js'
import { bad, done, type Result, unsupported } from '../result.js'
import type { Member, MemberChange, Room } from '../rooms.js'
import { partsOf, statusOf } from './status.js'

type Command = (node: NodeContext, args: readonly string[]) => Promise<Result>

const said = (data: string) => done({ data, result: data })

/** NativeAPI: a few commands of FreeSWITCH's console that say something about this node or its conferences. */
export const nativeApi: NodeMethod = {
  on: 'node',
  async run(node, { params }) {
    const [cmd = '', ...args] = `${String(params.cmd ?? '')} ${String(params.args ?? '')}`.trim().split(/\s+/)
    if (cmd === '') return bad('cmd: want the name of a command')
    const command = COMMANDS.get(cmd)
    if (command === undefined)
      return unsupported(`the native command ${cmd}; ${[...COMMANDS.keys()].join(', ')} are known`)
    return command(node, args)
  },
}

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['status', status],
  ['version', async (node) => said(`Asterisk ${(await statusOf(node)).version}`)],
  ['hostname', async () => said(hostname())],
  ['uptime', async (node) => said(String(Math.floor((await statusOf(node)).uptimeMs / 1000)))],
  [
    'uuid_exists',
    async (node, [uuid]) => said(String(uuid !== undefined && (await node.calls.find(uuid)) !== undefined)),
  ],
  ['show', show],
  ['conference', conference],
])

async function status(node: NodeContext): Promise<Result> {
  const { version, uptimeMs, limit } = await statusOf(node)
  const { years, days, hours, minutes, seconds } = partsOf(uptimeMs)
  const { active, total, peak, peak5Min, rate } = node.figures.counted()
  return said(
    [
      `UP ${years} years, ${days} days, ${hours} hours, ${minutes} minutes, ${seconds} seconds`,
      `Asterisk (Version ${version}) is ${node.drain.on() ? 'shutting down' : 'ready'}`,
      `${total} session(s) since startup`,
      `${active} session(s) - peak ${peak}, last 5min ${peak5Min}`,
      `${rate} session(s) per Sec`,
      `${limit} session(s) max`,
    ].join('\n'),
  )
}

async function show(node: NodeContext, [what = '', how = '']: readonly string[]): Promise<Result> {
  if ((what !== 'channels' && what !== 'calls') || how !== 'count')
    return unsupported(`show ${what} ${how}`.trimEnd().concat('; show channels count is known'))
  return said(`${(await node.calls.all()).length} total.`)
}

const CHANGES: readonly string[] = ['mute', 'unmute', 'deaf', 'undeaf'] satisfies MemberChange[]

/** `conference list`, `conference NAME list|kick|mute|unmute|deaf|undeaf|record|norecord …` */
async function conference(
  node: NodeContext,
  [name = 'list', what = 'list', ...rest]: readonly string[],
): Promise<Result> {
  if (name === 'list') return said((await Promise.all(node.rooms.all().map((each) => listing(node, each)))).join('\n'))
  const room = node.rooms.find(name)
  if (room === undefined) return bad(`there is no conference ${name}`)
  if (what === 'list') return said(await listing(node, room))
  if (what === 'count') return said(String(room.members.size))
  if (what === 'record' || what === 'norecord') return record(node, room, what === 'record' ? rest[0] : undefined)
  if (what !== 'kick' && what !== 'hup' && !CHANGES.includes(what))
    return unsupported(`conference NAME ${what}; list, count, kick, ${CHANGES.join(', ')}, record, norecord are known`)
  const members = meant(room, rest[0] ?? '')
  if (members.length === 0)
    return bad(`args: want all, last, non_moderator, or the number or uuid of a member after ${what}`)
  if (what === 'kick' || what === 'hup') await node.rooms.kick(room, members)
  else for (const member of members) await node.rooms.change(room, member, what as MemberChange)
  return said(`OK ${what} ${members.map(({ id }) => id).join(' ')}`)
}

function meant({ members }: Room, whom: string): Member[] {
  const all = [...members.values()]
  if (whom === 'all') return all
  if (whom === 'last') return all.slice(-1)
  if (whom === 'non_moderator') return all.filter(({ moderator }) => !moderator)
  return all.filter(({ id, uuid }) => String(id) === whom || uuid === whom)
}

async function listing({ calls }: NodeContext, { name, members }: Room): Promise<string> {
  const lineOf = async ({ id, uuid, muted, deaf, moderator }: Member) => {
    const flags = [...(deaf ? [] : ['hear']), ...(muted ? [] : ['speak']), ...(moderator ? ['moderator'] : [])]
    const { caller } = (await calls.find(uuid)) ?? {}
    return [id, uuid, caller?.name ?? '', caller?.number ?? '', flags.join('|')].join(';')
  }
  const lines = await Promise.all([...members.values()].map(lineOf))
  return [`Conference ${name} (${members.size} member${members.size === 1 ? '' : 's'})`, ...lines].join('\n')
}

/** A path below the recordings of Asterisk, which leads nowhere else. */
const isPath = (path: string) => /^[\w-]+(\.[\w-]+)*(\/[\w-]+(\.[\w-]+)*)*$/.test(path) && path.length <= 200

/** The room as one recording; no path ends the one that runs. */
async function record({ ari }: NodeContext, room: Room, path: string | undefined): Promise<Result> {
  if (path === undefined) {
    if (room.recording === undefined) return bad(`conference ${room.name} is not being recorded`)
    const name = room.recording
    room.recording = undefined
    await ari.request('POST', ['recordings', 'live', name, 'stop'])
    return said(`OK ${name}`)
  }
  if (!isPath(path)) return bad('args: want a path below the recordings of Asterisk, such as rooms/3000.wav')
  if (room.recording !== undefined) return bad(`conference ${room.name} is being recorded to ${room.recording}`)
  const [, name = path, format = 'wav'] = /^(.*)\.(\w+)$/.exec(path) ?? []
  await ari.request('POST', ['bridges', room.bridge, 'record'], { body: { name, format, ifExists: 'overwrite' } })
  room.recording = name
  return said(`OK ${name}`)
}
