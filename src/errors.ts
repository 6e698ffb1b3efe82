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

/** What an operator does about a code, and which fates it comes with. */
export interface ErrorNote {
  /** `either` where the place that raises it knows whether another try can help. */
  readonly fate: Fate | 'either'
  readonly action: string
}

/** For each code what to do about it: the text of `docs/reference/error-codes.md`. */
export const ERROR_NOTES: Readonly<Record<ErrorCode, ErrorNote>> = {
  'codec.malformed': {
    fate: 'reject',
    action:
      'Look at the body with `patchbay dlq show`. Its sender wrote something else than the dialect of the link, or broke off in the middle: mend the sender, then drop the letter.',
  },
  'codec.encoding': {
    fate: 'reject',
    action: 'The sender writes another character set than UTF-8. Mend the sender; the bytes are in the dead letter.',
  },
  'codec.tag': {
    fate: 'reject',
    action:
      'If the class is one of your legacy system, name it under `codec.classes` of a mapping of yours, beside those of the shipped one, and replay the letter. If not, somebody tries what Ruby would have carried out: find out who publishes there.',
  },
  'codec.limit': {
    fate: 'reject',
    action:
      'If messages of that size are usual with you, raise the key of `limits` that the reason names, start the gateway anew, replay.',
  },
  'codec.method': {
    fate: 'reject',
    action:
      'The envelope is no event and no request that we know. Look at its method with `patchbay dlq show`, and ask who sends it.',
  },
  'codec.field': {
    fate: 'reject',
    action:
      'The reason names the field. Mend the sender, or say in a mapping of yours how that field is to be read, and replay.',
  },
  'codec.value': {
    fate: 'reject',
    action:
      'The target cannot write what the source said. The reason names the field: map it otherwise for that target, and replay.',
  },
  'mapping.file': {
    fate: 'reject',
    action:
      'Run `patchbay check` on the file that is named: it tells every fault with its line and what would be right.',
  },
  'mapping.message': {
    fate: 'reject',
    action:
      'Write a rule for that kind of message in a mapping of yours, test it with `patchbay translate`, replay the letters.',
  },
  'mapping.required': {
    fate: 'reject',
    action:
      'The reason names the field. Mend the sender, or take `required` from the field in a mapping of yours, and replay.',
  },
  'mapping.unsayable': {
    fate: 'reject',
    action:
      'A rule of the target fits, but its address wants a field that the fact does not have. Give the rule another address, or leave that kind of fact out of the `facts` of the route.',
  },
  'config.invalid': {
    fate: 'reject',
    action: 'Run `patchbay check -c FILE`. Where the admin address is named: another process listens there.',
  },
  'link.connect': {
    fate: 'either',
    action:
      'The text says what the peer refuses: address, user and password, vhost, certificate. What time may heal is tried again without an end.',
  },
  'link.lost': {
    fate: 'either',
    action:
      'Nothing, if it comes back by itself. If it happens often, look at the log of the peer and at what stands between.',
  },
  'link.refused': {
    fate: 'either',
    action:
      'The text says what was asked and what the peer answered. Where a queue, exchange or stream has other properties than we want: change them there, or set `declare: false`.',
  },
  'link.forbidden': {
    fate: 'either',
    action: 'Give our user the permission for the exchange, queue or subject that is named, then replay.',
  },
  'link.too-large': {
    fate: 'reject',
    action:
      'Raise the limit of the peer (`max_payload` of NATS, `max_message_size` of RabbitMQ) and replay; that of an Asterisk, 40 KiB, is fixed.',
  },
  'state.store': {
    fate: 'reject',
    action:
      'The bucket or stream is there with other properties, or the server is too old. The text says which; change it there, or start with another `group`.',
  },
  'state.unavailable': {
    fate: 'retry',
    action: 'Look after the NATS servers of `store.link`. Nothing is lost meanwhile: messages wait at their source.',
  },
  'state.outrun': {
    fate: 'retry',
    action:
      'Nothing. If it happens often, this replica stands still for seconds at a time: give it more CPU, or look at its connection to the store.',
  },
  'gateway.stopping': { fate: 'retry', action: 'Nothing. What was not finished comes again to the next process.' },
}

/** Options of {@link GatewayError}. `fate` defaults to `reject`. */
export interface GatewayErrorOptions {
  readonly fate?: Fate
  readonly cause?: unknown
}

/** Where our code was says nothing about a message that is wrong, and finding it out takes as long as reading the message. */
const isAboutInput = (code: ErrorCode) => code.startsWith('codec.') || code.startsWith('mapping.')

/** An error with a code from the closed set and a fate for the message at hand. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly fate: Fate
  /** The rule of a mapping that failed, `DIALECT/NAME`, where one was found for the message. */
  rule?: string

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    const { stackTraceLimit } = Error
    if (isAboutInput(code)) Error.stackTraceLimit = 0
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'GatewayError'
    this.code = code
    this.fate = options.fate ?? 'reject'
  }
}
