import { randomUUID } from 'node:crypto'
import { nkeys } from '@nats-io/nats-core'

/** An operator with one account, as a NATS server is configured with them, and users of that account. */
export interface NatsAccounts {
  /** Lines for the configuration of the server, which has to be without JetStream. */
  readonly config: string
  /** The content of a `.creds` file for a new user, who may do everything until then (UTC milliseconds). */
  creds(untilMs: number): string
}

type KeyPair = ReturnType<typeof nkeys.createUser>

const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** A claim as `nsc` writes it: a JWT, signed with an nkey. */
function claim(issuer: KeyPair, subject: KeyPair, nats: object, untilMs?: number): string {
  const [iss, sub] = [issuer.getPublicKey(), subject.getPublicKey()]
  const until = untilMs === undefined ? {} : { exp: Math.floor(untilMs / 1000) }
  const claims = { jti: randomUUID(), iat: Math.floor(Date.now() / 1000), iss, sub, name: 't', ...until }
  const signed = `${encoded({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encoded({ ...claims, nats: { version: 2, ...nats } })}`
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`
}

const UNLIMITED = { subs: -1, data: -1, payload: -1 }
const ACCOUNT_LIMITS = { ...UNLIMITED, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }

/** Makes them with new keys. */
export function makeNatsAccounts(): NatsAccounts {
  const [operator, account] = [nkeys.createOperator(), nkeys.createAccount()]
  const ofAccount = claim(operator, account, { type: 'account', limits: ACCOUNT_LIMITS })
  return {
    config: [
      `operator: "${claim(operator, operator, { type: 'operator' })}"`,
      'resolver: MEMORY',
      `resolver_preload: { ${account.getPublicKey()}: "${ofAccount}" }`,
    ].join('\n'),
    creds(untilMs) {
      const user = nkeys.createUser()
      const seed = Buffer.from(user.getSeed()).toString()
      const block = (name: string, text: string) => `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n`
      const jwt = claim(account, user, { type: 'user', pub: {}, sub: {}, ...UNLIMITED }, untilMs)
      return block('NATS USER JWT', jwt) + block('USER NKEY SEED', seed)
    },
  }
}
