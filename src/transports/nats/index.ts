export type { NatsConfig, NatsCredentials, NatsStream, NatsSubscription } from './config.js'
export { natsTransport } from './transport.js'
