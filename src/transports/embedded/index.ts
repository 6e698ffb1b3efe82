export { type EmbeddedBroker, embeddedBroker } from './broker.js'
