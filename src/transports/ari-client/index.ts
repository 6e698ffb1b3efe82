export type { AriConfig, AriSystem } from './config.js'
export { AriError, hasStatus, wasNotSent } from './errors.js'
export type { AriRest } from './rest.js'
export { ariTransport } from './transport.js'
