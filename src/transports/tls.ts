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
