/** A real Asterisk for tests and benchmarks. */
export { PHONES, phonePassword } from './configuration.js'
export type { AriAnswer, AsteriskOptions, TestAsterisk } from './contract.js'
export { type AriEvent, type AriListener, listenToAri } from './listen.js'
export { outboundFiles } from './outbound.js'
export { hasAsteriskRoot } from './root.js'
export { prepareAsterisk, startAsterisk } from './server.js'
