/**
 * Every error the gateway raises on purpose. A plain Error is a bug.
 *
 * The code says what went wrong and belongs to a closed set; the fate says what becomes of
 * the message that was being handled: `retry` keeps it at its source, `reject` makes it a
 * dead letter.
 */
export const ERROR_CODES = {
  'codec.malformed': 'the body is not what the dialect calls well-formed',
  'codec.encoding': 'the body holds bytes or characters that the dialect does not allow',
  'codec.tag': 'the body names a class or tag that no mapping lets in',
  'codec.limit': 'the body exceeds a configured limit (bytes, depth, nodes, aliases)',
  'codec.method': 'the envelope names a method the codec does not know',
  'codec.field': 'a field is missing or has the wrong type',
  'codec.value': 'a value cannot be written in the dialect',
  'mapping.file': 'a mapping file is faulty',
  'mapping.message': 'no rule of the mapping takes this message',
  'mapping.required': 'a field that the mapping requires is missing or unusable',
  'mapping.unsayable': 'the target dialect has no word for this fact',
  'config.invalid': 'the configuration is faulty',
  'link.connect': 'a link could not be opened',
  'link.lost': 'a link went away while something was in flight',
  'link.refused': 'the peer refused what was sent',
  'link.forbidden': 'the peer forbids publishing or subscribing there',
  'link.too-large': 'the message is larger than the peer takes',
  'state.store': 'the shared state is not as it is configured',
  'state.unavailable': 'the shared state cannot be reached for now',
  'state.outrun': 'another replica goes on in our place',
  'gateway.stopping': 'the gateway is shutting down',
} as const

/** One of the keys of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES

/** What becomes of the message at hand: kept at its source for another try, or dead-lettered. */
export type Fate = 'retry' | 'reject'

/** Options of {@link GatewayError}. `fate` defaults to `reject`. */
export interface GatewayErrorOptions {
  readonly fate?: Fate
  readonly cause?: unknown
}

/** An error with a code from the closed set and a fate for the message at hand. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly fate: Fate
  /** The rule of a mapping that failed, `DIALECT/NAME`, where one was found for the message. */
  rule?: string

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GatewayError'
    this.code = code
    this.fate = options.fate ?? 'reject'
  }
}
