export type { AriServerConfig, AriUser } from './config.js'
export { type AriServerTransport, ariServerTransport } from './transport.js'
