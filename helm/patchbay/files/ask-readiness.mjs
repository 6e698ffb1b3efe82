// Asks every pod behind a name for /readyz, until all are ready or a minute is over. Arguments: host, port.
import { lookup } from 'node:dns/promises'
import { setTimeout as delay } from 'node:timers/promises'

const [host, port] = process.argv.slice(-2)
const deadline = Date.now() + Number(process.env.ASK_FOR_MS ?? 60_000)

const placeOf = ({ address, family }) => `${family === 6 ? `[${address}]` : address}:${port}`

async function ask(pod) {
  try {
    const response = await fetch(`http://${placeOf(pod)}/readyz`, { signal: AbortSignal.timeout(5000) })
    return { ok: response.ok, told: `${placeOf(pod)} ${response.status}\n${await response.text()}` }
  } catch (error) {
    return { ok: false, told: `${placeOf(pod)} ${error.cause?.message ?? error.message}` }
  }
}

async function askAll() {
  const pods = await lookup(host, { all: true }).catch((error) => error)
  return pods instanceof Error ? [{ ok: false, told: `${host} ${pods.message}` }] : Promise.all(pods.map(ask))
}

let answers = await askAll()
while (answers.some(({ ok }) => !ok) && Date.now() < deadline) {
  await delay(1000)
  answers = await askAll()
}
for (const { told } of answers) console.log(told)
process.exitCode = answers.every(({ ok }) => ok) ? 0 : 1
