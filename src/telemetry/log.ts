import { pino } from 'pino'
import { asText, visible } from './log-text.js'
import { scrub, scrubPlain, scrubText, secretRemover } from './scrub.js'

/** Fields of a log line. Whatever is put in is scrubbed of secrets and bodies. */
export type LogFields = Readonly<Record<string, unknown>>

/** A log. `info` is for changes of state, `debug` for single frames. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** False when `debug` writes nothing, so that a caller need not collect fields. */
  readonly isDebug: boolean
  /** A log whose lines all carry these fields. */
  child(fields: LogFields): Log
}

/** How much is written and how; the section `log` of the configuration. */
export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly format: 'json' | 'text'
}

/** Takes whole lines, each with its line break. */
export interface LogSink {
  write(line: string): void
}

/** The log of a process, which knows its secrets. */
export interface RootLog extends Log {
  /** From now on no line holds these texts either. */
  hide(secrets: readonly string[]): void
  /** A text of JSON without any of them. */
  withoutSecrets(json: string): string
}

/**
 * Makes a log that writes to `sink`, by default standard output, a line at a time and at once.
 * @param secrets texts that no line may hold, whatever it is that says them
 */
export function createLog(options: LogOptions, sink?: LogSink, secrets: readonly string[] = []): RootLog {
  const out = sink ?? pino.destination({ fd: 1, sync: true })
  const isText = options.format === 'text'
  let hidden = [...secrets]
  let remove = secretRemover(hidden)
  const stream = {
    write(line: string): void {
      const safe = remove(scrubText(line.trimEnd()))
      out.write(`${visible(isText ? asText(safe) : safe)}\n`)
    },
  }
  const config: pino.LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (value: unknown) => value },
    formatters: { log: scrubFields },
  }
  return {
    ...wrap(pino(config, stream)),
    hide(more) {
      hidden = [...new Set([...hidden, ...more])]
      remove = secretRemover(hidden)
    },
    withoutSecrets: (json) => remove(json),
  }
}

function scrubFields(fields: LogFields): Record<string, unknown> {
  return scrub(fields) as Record<string, unknown> // a mapping stays a mapping
}

function wrap(logger: pino.Logger): Log {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) =>
    fields === undefined ? logger[level](scrubPlain(message)) : logger[level](fields, scrubPlain(message))
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    isDebug: logger.isLevelEnabled('debug'),
    child: (fields) => wrap(logger.child(scrubFields(fields))),
  }
}
