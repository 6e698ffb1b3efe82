import type { AriAccess } from './site.js'
import { saidBy, Trouble } from './trouble.js'

/** Time for one request. Milliseconds. */
const REQUEST_MS = 5000

/** Asks an Asterisk; `path` is below `/ari/`. `where` names it in errors. */
export type AskAri = (method: string, path: string, body?: Readonly<Record<string, string>>) => Promise<void>

/** What asks an Asterisk. Each request throws Trouble where it is not answered well. */
export function askAri({ url, username, password }: AriAccess, where: string): AskAri {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  return async (method, path, body) => {
    const asked = fetch(`${url}/ari/${path}`, {
      method,
      headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    const reply = await asked.catch((error: unknown) => {
      throw new Trouble(`no answer from ${where}: ${saidBy(error)}`)
    })
    const text = await reply.text()
    if (!reply.ok) throw new Trouble(`${where} answers ${method} /ari/${path} with ${reply.status} ${text}`.trimEnd())
  }
}
