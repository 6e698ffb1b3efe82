import { type ErrorCode, GatewayError } from '../../errors.js'
import { isBreak, isHighSurrogate } from './chars.js'

/** An error at an offset of the text, told as `line:column` counted from 1 in code points. */
export function fault(code: ErrorCode, text: string, offset: number, what: string, cause?: unknown): GatewayError {
  return new GatewayError(code, `${place(text, offset)}: ${what}`, cause === undefined ? {} : { cause })
}

function place(text: string, offset: number): string {
  const end = Math.min(offset, text.length)
  let line = 1
  let column = 1
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i)
    if (isBreak(code) && !(code === 13 && text.charCodeAt(i + 1) === 10)) {
      line++
      column = 1
    } else if (!isHighSurrogate(code)) column++
  }
  return `${line}:${column}`
}
