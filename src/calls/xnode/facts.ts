import type { ChannelFact, Fact } from '../../model/index.js'

/** Whether a fact tells that its channel left a bridge; the members it names are those who stayed. */
export function leftBridge(fact: Fact): fact is ChannelFact {
  return fact.kind === 'channel' && fact.change === 'bridge' && fact.flags?.bridged === false
}

/** Whether a fact tells that its channel came into the application: only there it can be steered. */
export function entersApp(fact: Fact): boolean {
  return fact.kind === 'channel' && fact.change === 'control' && fact.flags?.controllable === true
}

/** Whether a fact tells that its channel left the application. */
export function leavesApp(fact: Fact): boolean {
  return fact.kind === 'channel' && fact.change === 'control' && fact.flags?.controllable === false
}

/** Whether a fact tells of a channel that is answered. */
export function isUp(fact: Fact): boolean {
  return fact.kind === 'channel' && fact.state === 'answered'
}

/** What a wait picks that is for a fact of a kind. */
export function when(is: (fact: Fact) => boolean): (fact: Fact) => true | undefined {
  return (fact) => (is(fact) ? true : undefined)
}
