/**
 * Brokers of our own, and an Asterisk: programs found on this machine, started on free loopback ports with
 * data folders of their own, and ended by process id. Nothing outlives the process that
 * started them, however it ends.
 */

export { type PrivateAsterisk, startPrivateAsterisk } from './asterisk.js'
export { type GuardedFolder, guardedFolder, type ServerProcess } from './guarded-folder.js'
export { freePorts } from './loopback.js'
export type { NatsOptions, PrivateNats } from './nats.js'
export { startPrivateNats } from './nats.js'
export type { RabbitMqPrograms } from './programs.js'
export { findAsterisk, findNats, findRabbitMq } from './programs.js'
export type { PrivateRabbitMq, RabbitMqControl, RabbitMqOptions } from './rabbitmq.js'
export { rabbitMqCtl, startPortMapper, startPrivateRabbitMq } from './rabbitmq.js'
