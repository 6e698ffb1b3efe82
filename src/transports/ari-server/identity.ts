/** Who we say we are to applications. */
export interface Identity {
  readonly asteriskId: string
  /** When the server was made, in Asterisk's form. */
  readonly startedAt: string
  /** The present moment in Asterisk's form. */
  stamp(): string
}

export function makeIdentity(asteriskId: string): Identity {
  const stamp = () => new Date().toISOString().replace('Z', '+0000')
  return { asteriskId, startedAt: stamp(), stamp }
}
