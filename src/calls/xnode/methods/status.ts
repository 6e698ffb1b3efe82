import type { NodeContext, NodeMethod } from '../method.js'
import { bad, done, type Result, unsupported } from '../result.js'

/** How Asterisk is. */
export interface SwitchStatus {
  readonly version: string
  /** Milliseconds since its start. */
  readonly uptimeMs: number
  /** Most calls it takes; 0 for no limit. */
  readonly limit: number
}

/** Asks Asterisk how it is. */
export async function statusOf({ ari }: Pick<NodeContext, 'ari'>): Promise<SwitchStatus> {
  const info = (await ari.request('GET', ['asterisk', 'info'], { query: { only: 'system,status,config' } })) as {
    readonly system?: { readonly version?: unknown }
    readonly status?: { readonly startup_time?: unknown }
    readonly config?: { readonly max_channels?: unknown }
  }
  const started = Date.parse(String(info.status?.startup_time))
  const { max_channels: limit } = info.config ?? {}
  return {
    version: String(info.system?.version ?? ''),
    uptimeMs: Number.isNaN(started) ? 0 : Math.max(0, Date.now() - started),
    limit: typeof limit === 'number' ? limit : 0,
  }
}

/** A span of time in the parts that XCC tells it in. */
export function partsOf(ms: number) {
  const whole = (unit: number) => Math.floor(ms / unit)
  const days = whole(86_400_000)
  return {
    years: Math.floor(days / 365),
    days: days % 365,
    hours: whole(3_600_000) % 24,
    minutes: whole(60_000) % 60,
    seconds: whole(1000) % 60,
    milliseconds: Math.floor(ms) % 1000,
    microseconds: 0,
  }
}

/** JStatus: the figures of the node; those of sessions are counted since the gateway began. */
export const jStatus: NodeMethod = {
  on: 'node',
  async run(node) {
    const { version, uptimeMs, limit } = await statusOf(node)
    const { active, total, peak, peak5Min, rate, ratePeak, ratePeak5Min } = node.figures.counted()
    return done({
      data: {
        systemStatus: node.drain.on() ? 'shutting down' : 'ready',
        version,
        uptime: partsOf(uptimeMs),
        sessions: {
          count: { total, active, peak, peak5Min, limit },
          rate: { current: rate, max: 0, peak: ratePeak, peak5Min: ratePeak5Min },
        },
      },
    })
  },
}

/** NativeJSAPI with a command that is none of the queries Asterisk can answer. */
export const nativeJsApi: NodeMethod = {
  on: 'node',
  async run(_node, { params }): Promise<Result> {
    const { command } = params.data as { command?: unknown }
    if (typeof command !== 'string' || command === '') return bad('data.command: want the name of a command')
    return unsupported(`the JSON command ${command}; status and conferenceInfo are known`)
  },
}
