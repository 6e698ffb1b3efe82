import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/nats-core'
import type { TlsConfig } from '../tls.js'
import type { NatsAccess, NatsConfig, NatsCredentials } from './config.js'

/** What we present and whom we trust, as it is now. */
export function accessOf(config: NatsConfig): NatsAccess {
  return config.access?.() ?? config
}

const bytes = (text: string) => new TextEncoder().encode(text)
const asText = (part: string | Uint8Array) => (typeof part === 'string' ? part : Buffer.from(part).toString('utf8'))

function authenticatorOf(credentials: NatsCredentials): Authenticator {
  if ('token' in credentials) return tokenAuthenticator(credentials.token)
  if ('nkeySeed' in credentials) return nkeyAuthenticator(bytes(credentials.nkeySeed))
  if ('creds' in credentials) return credsAuthenticator(bytes(credentials.creds))
  return usernamePasswordAuthenticator(credentials.username, credentials.password)
}

/** Why the client library could not even try to log in, such as a seed or creds of which a part is missing. */
export function credentialsMistake(credentials: NatsCredentials): string | undefined {
  try {
    authenticatorOf(credentials)('nonce')
    return undefined
  } catch {
    return 'the nkey seed or the creds cannot be read'
  }
}

const PARTS = ['ca', 'cert', 'key', 'passphrase', 'servername'] as const

/**
 * Options by which the client library logs in and secures a connection. It asks for them again each time it comes back,
 * with the same object: so each part is looked up when it is asked for.
 */
export function accessOptions(config: NatsConfig): ConnectionOptions {
  const { credentials, tls } = config
  return {
    ...(credentials !== undefined && {
      authenticator: (nonce?: string) => authenticatorOf(accessOf(config).credentials ?? credentials)(nonce),
    }),
    ...(tls !== undefined && { tls: tlsOptions(tls, () => accessOf(config).tls ?? tls) }),
  }
}

function tlsOptions(tls: TlsConfig, now: () => TlsConfig): NonNullable<ConnectionOptions['tls']> {
  const options: NonNullable<ConnectionOptions['tls']> = {}
  for (const part of PARTS) {
    const given = tls[part]
    if (given === undefined) continue
    Object.defineProperty(options, part, { enumerable: true, get: () => asText(now()[part] ?? given) })
  }
  return options
}
