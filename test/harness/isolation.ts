import { randomBytes } from 'node:crypto'
import { ctl, type RabbitMqControl } from './brokers.js'

/** A name nobody else uses, good as a NATS subject token, stream, queue, exchange or vhost: `t-3f9a…`. */
export function freshName(prefix = 't'): string {
  return `${prefix}-${randomBytes(5).toString('hex')}`
}

/**
 * Makes an empty vhost for user guest and gives the address that ends in it; about a second.
 * Without a control (a broker we were only given the address of) the address comes back as it is:
 * use names from {@link freshName} for whatever is declared.
 */
export async function freshVhost(url: string, control: RabbitMqControl | null): Promise<string> {
  if (control === null) return url
  const name = freshName('v')
  const text = (value: string) => `<<"${value}">>`
  const all = text('.*')
  await ctl(
    control,
    'eval',
    `ok = rabbit_vhost:add(${text(name)}, ${text('test')}), ` +
      `ok = rabbit_auth_backend_internal:set_permissions(${text('guest')}, ${text(name)}, ${all}, ${all}, ${all}, ${text('test')}).`,
  )
  return `${url.replace(/\/$/, '')}/${name}`
}
