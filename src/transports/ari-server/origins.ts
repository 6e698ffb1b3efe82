/** Headers by which a browser lets a page read an answer; empty for requests that no page sent. */
export type OriginHeaders = Readonly<Record<string, string>>

/**
 * Decides on the header `Origin`, which browsers add and others leave out: credentials that a browser keeps must
 * not serve pages of other sites. Undefined for a page that may not come.
 */
export function checkOrigin(origin: string | undefined, allowed: readonly string[]): OriginHeaders | undefined {
  if (origin === undefined) return {}
  if (!allowed.includes('*') && !allowed.includes(origin)) return undefined
  return { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', vary: 'Origin' }
}

/** What the question that a browser asks before a request is answered with. */
export const PREFLIGHT_HEADERS: OriginHeaders = {
  'access-control-allow-methods': 'OPTIONS,GET,POST,PUT,DELETE',
  'access-control-allow-headers': 'authorization,content-type',
}
