/**
 * The Stasis codec: events of Asterisk as JSON, and what is known of them from the documentation that an
 * Asterisk serves of itself.
 */
export { describeMember, eventFaults } from './describe.js'
export { EVENTS } from './events.js'
