/** Treats brokers in containers as tests do, and prints as a line of JSON what came of it. */
import { startNatsContainer, startRabbitMqContainer } from '../containers.js'
import { keepsListening, treat } from './contract.js'

const [rabbitMq, nats] = await Promise.all([startRabbitMqContainer({}), startNatsContainer({})])
const treated = await treat(rabbitMq, nats)
await Promise.all([rabbitMq.stop(), nats.stop()])
const stopped = [await keepsListening(rabbitMq), await keepsListening(nats)]
process.stdout.write(`${JSON.stringify({ ...treated, stopped })}\n`)
process.exit() // the library keeps what it has to the engine open
