import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { AriUser } from './config.js'

/** Finds out who sends a request. */
export interface Authentication {
  /**
   * @param authorization the header; it goes before `apiKey`, as in Asterisk.
   * @param apiKey the parameter `api_key`, `user:password`.
   * @returns undefined for whoever is not known or gives no or a wrong password.
   */
  identify(authorization: string | undefined, apiKey: string | null): AriUser | undefined
}

export function makeAuthentication(users: readonly AriUser[]): Authentication {
  // Digests with a key of our own have one length, and comparing them tells nothing about what they are of.
  const key = randomBytes(32)
  const digest = (text: string) => createHmac('sha256', key).update(text).digest()
  const known = users.map((user) => ({ user, digest: digest(`${user.name}:${user.password}`) }))

  return {
    identify(authorization, apiKey) {
      const given = authorization === undefined ? apiKey : basicCredentials(authorization)
      if (given === null || !given.includes(':')) return undefined
      const presented = digest(given)
      // All are compared, so that the time taken does not tell which one fits.
      const fitting = known.filter((each) => timingSafeEqual(each.digest, presented))
      return fitting[0]?.user
    },
  }
}

function basicCredentials(header: string): string | null {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(header) ?? []
  return encoded === undefined ? null : Buffer.from(encoded, 'base64').toString('utf8')
}
