export type { AmqpConfig, AmqpConsume, AmqpExchange, AmqpPublish, AmqpQueue } from './config.js'
export { amqpTransport } from './transport.js'
