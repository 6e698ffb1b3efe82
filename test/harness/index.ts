/** Real brokers, a real Asterisk, real Ruby and a misbehaving network for tests and benchmarks. */

export { type AriGate, startAriGate } from './ari-gate.js'
export {
  type AriAnswer,
  type AriEvent,
  type AriListener,
  type AsteriskOptions,
  listenToAri,
  outboundFiles,
  PHONES,
  phonePassword,
  startAsterisk,
  type TestAsterisk,
} from './asterisk/index.js'
export {
  ctl,
  type RabbitMqControl,
  startNats,
  startRabbitMq,
  type TestNats,
  type TestNatsOptions,
  type TestRabbitMq,
} from './brokers.js'
export { type Certificates, makeCertificates } from './certificates.js'
export { startNatsCluster, startRabbitMqCluster } from './clusters.js'
export type { TestNatsCluster, TestRabbitMqCluster } from './contract.js'
export { type Direction, type FaultProxy, type Faults, startFaultProxy } from './fault-proxy.js'
export { BASE_IMAGES, type ImageEngine, openImageEngine } from './images/index.js'
export { ensureInstalled } from './install.js'
export { freshName, freshVhost } from './isolation.js'
export { makeNatsAccounts, type NatsAccounts } from './nats-accounts.js'
export { type RubyOutcome, rubyLoad, rubyTryLoad } from './ruby.js'
export {
  type AwaitedCall,
  type CalleeStep,
  type CallerStep,
  type PlacedCall,
  placeCall,
  type Registration,
  registerPhone,
  runSipp,
  type SippOptions,
  type SippRun,
  takeCall,
  unregisterPhone,
} from './sipp/index.js'
