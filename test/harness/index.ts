/** Real brokers, real Ruby and a misbehaving network for tests and benchmarks. */
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
export { type FaultProxy, type Faults, startFaultProxy } from './fault-proxy.js'
export { ensureInstalled } from './install.js'
export { freshName, freshVhost } from './isolation.js'
export { type RubyOutcome, rubyLoad, rubyTryLoad } from './ruby.js'
