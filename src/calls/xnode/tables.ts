/** How XCC's words are said on Asterisk: the site's tables, compiled. */
export interface SteeringTables {
  /** What Asterisk dials for a dial string such as `user/1000`; undefined where no row is for it. */
  endpointOf(dialString: string): string | undefined
  /** Media URI of a file, a tone or another name of media; undefined where no row is for it. */
  mediaOf(data: string): string | undefined
  /** Media URI of a text to be spoken; undefined where there is no engine for it. */
  speechOf(text: string, engine: string, voice: string): string | undefined
  /** Q.850 number of a cause by its FreeSWITCH name, or of a number written as text. */
  causeNumber(name: string): number | undefined
  /** Result code of a call that failed with this cause. */
  codeOf(cause: string): number
  /** Place in the dialplan that stands for a named hook, such as `fifo` or a native application. */
  placeOf(hook: string, name: string): DialplanPlace | undefined
}

/** A place in the dialplan. */
export interface DialplanPlace {
  readonly context: string
  readonly extension: string
  readonly priority: number
}
