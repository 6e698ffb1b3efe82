import type { Extension, Fact } from '../model/index.js'
import type { CallView } from './state.js'

/** How a call is now, in the one word that says the most of it. */
export function stating({ channel, ext }: CallView): Fact {
  const { held, bridged } = channel.flags ?? {}
  return {
    kind: 'channel',
    ...channel,
    change: held ? 'hold' : bridged ? 'bridge' : 'state',
    ...(ext && { ext: Object.fromEntries(Object.entries(ext).map(([dialect, bag]) => [dialect, lasting(bag)])) }),
  }
}

/** What a dialect said of the call itself, without what belonged to one message. */
function lasting(bag: Extension): Extension {
  return Object.fromEntries(Object.entries(bag).filter(([name]) => !name.startsWith('$')))
}
