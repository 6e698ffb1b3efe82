import { X509Certificate } from 'node:crypto'
import { createSecureContext, TLSSocket } from 'node:tls'

/** TLS material as PEM, already read. */
export interface TlsConfig {
  /** Whom to trust. Default: what Node trusts. */
  readonly ca?: string | Uint8Array
  /** Our own certificate, where the peer asks for one. */
  readonly cert?: string | Uint8Array
  /** The key of `cert`. */
  readonly key?: string | Uint8Array
  /** Passphrase of `key`. */
  readonly passphrase?: string
  /** Name to expect in the peer's certificate. Default: the host of the address. */
  readonly servername?: string
}

/** Material in the words of Node; what is not configured is left out, so that Node's defaults hold. */
export interface TlsMaterial {
  ca?: Buffer
  cert?: Buffer
  key?: Buffer
  passphrase?: string
}

/** The material of a configuration as Node and its libraries take it. */
export function tlsMaterial(tls: TlsConfig = {}): TlsMaterial {
  const made: TlsMaterial = {}
  for (const name of ['ca', 'cert', 'key'] as const) {
    const pem = tls[name]
    if (pem !== undefined) made[name] = Buffer.from(pem)
  }
  if (tls.passphrase !== undefined) made.passphrase = tls.passphrase
  return made
}

/** What a client says at a handshake: the material, and the name that it expects where that is not the host. */
export function clientMaterial(tls: TlsConfig = {}): TlsMaterial & { servername?: string } {
  return { ...tlsMaterial(tls), ...(tls.servername !== undefined && { servername: tls.servername }) }
}

/** What a server says: with a `ca` its clients have to show a certificate that it vouches for. */
export function serverMaterial(tls: TlsConfig): TlsMaterial & { requestCert?: true; rejectUnauthorized?: true } {
  return { ...tlsMaterial(tls), ...(tls.ca !== undefined && { requestCert: true, rejectUnauthorized: true }) }
}

/**
 * Why certificate and key are no pair, or undefined where they are: no PEM, a key of another certificate, a wrong
 * passphrase. Never a part of the material itself.
 */
export function pairMistake(tls: TlsConfig): string | undefined {
  try {
    createSecureContext(tlsMaterial(tls))
    return undefined
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    return `certificate and key are no pair that can be used (${reason})`
  }
}

/** Like {@link pairMistake}, also for a certificate of ours that has ended. */
export function tlsMistake(tls: TlsConfig, now = Date.now()): string | undefined {
  const mistake = pairMistake(tls)
  const ends = certificateEnd(tls)
  if (mistake !== undefined || ends === undefined || ends > now) return mistake
  return `its certificate ended ${new Date(ends).toISOString()}`
}

/** When our own certificate ends, UTC milliseconds; undefined where there is none that can be read. */
export function certificateEnd({ cert }: TlsConfig): number | undefined {
  try {
    return cert === undefined ? undefined : Date.parse(new X509Certificate(cert).validTo)
  } catch {
    return undefined
  }
}

/** When the certificate ends that the peer of a socket showed, UTC milliseconds; undefined where it showed none. */
export function peerCertificateEnd(socket: unknown): number | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const ends = Date.parse(socket.getPeerCertificate().valid_to)
  return Number.isNaN(ends) ? undefined : ends
}

const REFUSALS = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'EPROTO',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** The code by which Node says that TLS itself failed, on this error or on one of its causes; else undefined. */
export function tlsRefusal(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = 'code' in at && typeof at.code === 'string' ? at.code : ''
    if (REFUSALS.has(code) || /^ERR_(SSL|TLS|OSSL)_/.test(code)) return code
  }
  return undefined
}

/** What would be right, by the code of a refusal; for any other all that there is to look at. */
const ADVICE: readonly { readonly sign: RegExp; readonly says: string }[] = [
  { sign: /^CERT_HAS_EXPIRED$/, says: "the peer's certificate has ended; it has to be renewed" },
  { sign: /CERTIFICATE_EXPIRED$/, says: 'our certificate has ended; renew it' },
  { sign: /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO)/, says: "our `tls.ca` does not vouch for the peer's certificate" },
  { sign: /ALERT_UNKNOWN_CA$/, says: 'the peer does not know who vouches for our certificate' },
  { sign: /CERTIFICATE_REQUIRED$/, says: 'the peer wants a certificate of ours; give `tls.cert` and `tls.key`' },
  { sign: /ALTNAME_INVALID$/, says: "the peer's certificate is for another name; is `tls.servername` right?" },
]

/** Says why TLS failed, beginning with the code, and what to check. */
export function tlsAdvice(code: string): string {
  const says = ADVICE.find(({ sign }) => sign.test(code))?.says
  const check = 'check the CA, our certificate and key, and that the port speaks TLS'
  return `TLS failed with ${code}; ${says === undefined ? check : `${check}: ${says}`}`
}
