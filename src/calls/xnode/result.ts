/** What became of a command, as XCC says it: a code and a text, and what the method adds. */
export interface Result extends Readonly<Record<string, unknown>> {
  readonly code: number
  readonly message: string
}

type More = Readonly<Record<string, unknown>>

/** Done. */
export const done = (more: More = {}): Result => ({ code: 200, message: 'OK', ...more })
/** Begun; how it ends is told later. */
export const accepted = (more: More = {}): Result => ({ code: 202, message: 'Accepted', ...more })
/** Begun and cut short on request. */
export const cutShort = (more: More = {}): Result => ({ code: 206, message: 'stopped', ...more })
/** The request cannot be carried out as it is written. */
export const bad = (message: string): Result => ({ code: 400, message })
/** A controller that no subject can be made of, or none where one is wanted. */
export const noController = (): Result =>
  bad('ctrl_uuid: want the uuid of the controller, without blanks, `*`, `>` or empty parts')
/** The channel ended before the command did. */
export const gone = (more: More = {}): Result => ({ code: 410, message: 'the channel is gone', ...more })
/** The call belongs to another controller. */
export const conflict = (message: string): Result => ({ code: 419, message })
/** The switch could not do it. */
export const failed = (message: string, more: More = {}): Result => ({ code: 500, message, ...more })
/** Asterisk has no such thing; `lacks` names what. */
export const unsupported = (lacks: string): Result => ({ code: 501, message: `not possible on Asterisk: ${lacks}` })
/** More is asked at a time than anybody could wait for. */
export const busy = (): Result => ({ code: 503, message: 'too many commands at a time' })
/** The node takes no new calls. */
export const draining = (): Result => ({ code: 603, message: 'the node is shutting down and takes no new calls' })
/** Nobody knows a channel of that id. */
export const noSuchChannel = (uuid: string): Result => bad(`there is no channel ${uuid}`)
