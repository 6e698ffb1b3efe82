import type { Reply } from '../reply.js'
import type { Call, Method, Operation, Parameter } from '../route.js'

/** A command that we know by name but do not carry out: method, path, name, what it would do, answer, parameters. */
export type Command = readonly [
  method: Method,
  path: string,
  nickname: string,
  summary: string,
  answers?: string,
  parameters?: readonly (string | Parameter)[],
]

/** The parameter by which commands take variables. */
export const VARIABLES: Parameter = { name: 'variables', in: 'body', type: 'containers' }

/** Makes operations of commands. Parameters given by name alone are optional texts of the query. */
export function commands(rows: readonly Command[], handle: (call: Call) => Reply): Operation[] {
  return rows.map(([method, path, nickname, summary, answers = 'void', parameters = []]) => ({
    method,
    path,
    nickname,
    summary,
    answers,
    parameters: parameters.map((each) => (typeof each === 'string' ? { name: each } : each)),
    handle,
  }))
}
