import { SEQUENCE_KEY } from './legacy-load.js'

/** What a controller reads from one message: whom it is about, what it says, and what names it. */
export interface Heard {
  readonly entity: string
  readonly word: string
  readonly id: string
  /** The number that {@link SEQUENCE_KEY} gave the legacy event. */
  readonly sequence?: number
}

interface Rpc {
  readonly method: string
  readonly params: {
    readonly uuid?: string
    readonly state?: string
    readonly held?: boolean
    readonly event?: { readonly serial?: string; readonly state?: string }
  }
}

/** How the number of a legacy event stands in a message that was made of it: within JSON that is a text in JSON. */
const SEQUENCE = new RegExp(`\\\\"${SEQUENCE_KEY}\\\\",(\\d+)`)

/** Reads a message with the name that its header gave it. Undefined for messages about nodes. */
export function readHeard(body: string, id: string): Heard | undefined {
  const { method, params } = JSON.parse(body) as Rpc // what the gateway writes is under test elsewhere
  if (method === 'Event.NativeEvent') return { entity: params.event?.serial ?? '', word: params.event?.state ?? '', id }
  if (method !== 'Event.CDR' && method !== 'Event.Channel') return undefined
  const word = method === 'Event.CDR' ? 'CDR' : `${params.state}${params.held ? ' held' : ''}`
  const sequence = SEQUENCE.exec(body)?.[1]
  return { entity: params.uuid ?? '', word, id, ...(sequence !== undefined && { sequence: Number(sequence) }) }
}
