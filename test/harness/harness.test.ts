import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net'
import { connect } from 'amqplib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import {
  type FaultProxy,
  freshVhost,
  rubyLoad,
  rubyTryLoad,
  startFaultProxy,
  startNats,
  type TestNats,
} from './index.js'

const yaml = (text: string) => Buffer.from(text)

describe('real Ruby', () => {
  test('types come back in the typed form, shared objects by number', async () => {
    const texts = [
      yaml(
        '---\n:sym: 012\nf: 1.5\nt: 2026-01-02 03:04:05.5 Z\nd: 2026-01-02\nbig: 99999999999999999999\nb: !binary "/w=="\n',
      ),
      yaml('--- !ruby/object:Channel_states\nis_sync: true\nevts: &1\n- a\nagain: *1\n'),
      yaml('--- !ruby/object:Terminal::TerminalDialno {}\n'),
      yaml('--- !ruby/object:Site::Extra\nx: 1\n'),
    ]
    expect(await rubyLoad(texts, ['Site::Extra'])).toEqual([
      {
        $map: [
          [{ $sym: 'sym' }, 10],
          ['f', { $float: '1.5' }],
          ['t', { $time: '2026-01-02T03:04:05.500000000Z' }],
          ['d', { $date: '2026-01-02', jd: 2461043 }],
          ['big', { $int: '99999999999999999999' }],
          ['b', { $bin: '/w==' }],
        ],
      },
      {
        $obj: 'Channel_states',
        ivars: [
          ['is_sync', true],
          ['evts', { $share: 1, value: ['a'] }],
          ['again', { $ref: 1 }],
        ],
      },
      { $obj: 'Terminal::TerminalDialno', ivars: [] },
      { $obj: 'Site::Extra', ivars: [['x', 1]] },
    ])
  })

  test('a class nobody named is refused by its name', async () => {
    const [outcome] = await rubyTryLoad([yaml('--- !ruby/object:Object {}\n')])
    expect(outcome).toMatchObject({ error: { class: 'Psych::DisallowedClass' } })
  })
})

describe('shared brokers', () => {
  test('a fresh vhost can be used at once', async () => {
    const connection = await connect(await freshVhost(inject('amqpUrl'), inject('rabbitMqControl')))
    const channel = await connection.createChannel()
    await channel.assertQueue('q', { durable: true })
    await connection.close()
  })
})

describe('a NATS server of our own', () => {
  let nats: TestNats
  beforeAll(async () => {
    nats = await startNats()
  })
  afterAll(() => nats.stop())

  test('comes back on the same port after kill -9', async () => {
    const { port, pid } = nats
    await nats.kill9()
    await nats.restart()
    expect(nats.port).toBe(port)
    if (pid !== undefined) {
      expect(nats.pid).not.toBe(pid)
      expect(readFileSync(`/proc/${nats.pid}/comm`, 'utf8')).toContain('nats-server')
    }
  })

  test('can be reached through a proxy that stalls, cuts and refuses', async () => {
    const proxy = await startFaultProxy(nats.port)
    const url = new URL(proxy.through(nats.url))
    expect(Number(url.port)).toBe(proxy.port)
    const heard = () =>
      fetch(`http://127.0.0.1:${proxy.port}/`, { signal: AbortSignal.timeout(500) }).then(
        () => 'answered',
        (error: Error) => (error.name === 'TimeoutError' ? 'silence' : 'closed'),
      )
    expect(await heard()).toBe('closed') // NATS does not speak HTTP, but it does speak
    proxy.faults.stalled = true
    expect(await heard()).toBe('silence')
    proxy.faults.stalled = false
    proxy.faults.refusing = true
    expect(await heard()).toBe('closed')
    await proxy.close()
    expect(proxy.connections()).toBe(0)
  })
})

/** One connection through a proxy, seen from both of its ends. */
interface Ends {
  readonly client: Socket
  readonly target: Socket
  /** What came out at an end. */
  readonly atClient: () => string
  readonly atTarget: () => string
}

function heardBy(socket: Socket): () => string {
  let text = ''
  socket.setEncoding('latin1').on('data', (piece) => {
    text += piece
  })
  return () => text
}

describe('a fault proxy', () => {
  let proxy: FaultProxy
  const clients: Socket[] = []
  const accepted: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    accepted.push(socket)
  })
  const portOf = () => (server.address() as AddressInfo).port // a TCP server's address is never a path
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterAll(() => void server.close())
  beforeEach(async () => {
    proxy = await startFaultProxy(portOf())
  })
  afterEach(async () => {
    await proxy.close()
    for (const socket of [...clients.splice(0), ...accepted.splice(0)]) socket.destroy()
  })

  const connectTo = (port: number) => {
    const client = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true })
    client.on('error', () => undefined) // a proxy that closes resets it
    clients.push(client)
    return client
  }
  async function nextAccepted(): Promise<Socket> {
    const before = accepted.length
    await expect.poll(() => accepted.length).toBeGreaterThan(before)
    return accepted[before]!
  }
  async function open(): Promise<Ends> {
    const client = connectTo(proxy.port)
    const target = await nextAccepted()
    return { client, target, atClient: heardBy(client), atTarget: heardBy(target) }
  }
  /** Says something at both ends. */
  const speak = ({ client, target }: Ends, text: string) => {
    client.write(text)
    target.write(text)
  }

  test('counts what it carries, in each direction', async () => {
    const ends = await open()
    ends.client.write('12345')
    ends.target.write('123')
    await expect.poll(() => [ends.atTarget(), ends.atClient()]).toEqual(['12345', '123'])
    expect([proxy.carried('toTarget'), proxy.carried('toClient')]).toEqual([5, 3])
  })

  const directions = [
    { stalled: 'toTarget', passes: 'atClient', held: 'atTarget' },
    { stalled: 'toClient', passes: 'atTarget', held: 'atClient' },
  ] as const
  test.each(directions)('half-open, $stalled is a black hole and the other way passes', async ({ stalled, ...end }) => {
    const ends = await open()
    proxy.faults.stalled = stalled
    speak(ends, 'a')
    await expect.poll(ends[end.passes]).toBe('a')
    expect([ends[end.held](), proxy.carried(stalled)]).toEqual(['', 0])
    proxy.faults.stalled = false
    await expect.poll(ends[end.held]).toBe('a')
  })

  test('a black hole swallows news of a close, and what was said before it comes when it is over', async () => {
    const ends = await open()
    const over = once(ends.target, 'end')
    proxy.faults.stalled = 'toTarget'
    ends.client.end('the last word')
    ends.target.write('still here')
    await expect.poll(ends.atClient).toBe('still here')
    expect([ends.target.readableEnded, ends.atTarget()]).toEqual([false, ''])
    proxy.faults.stalled = false
    await over
    expect(ends.atTarget()).toBe('the last word')
  })

  test.each([true, 'toTarget', 'toClient'] as const)('stalled %s, no new connection gets through', async (stalled) => {
    proxy.faults.stalled = stalled
    connectTo(proxy.port).write('hello')
    await expect.poll(() => proxy.connections()).toBe(1)
    connectTo(portOf()) // whatever the proxy opened would be there before this one
    await nextAccepted()
    expect(accepted).toHaveLength(1)
    proxy.faults.stalled = false
    await expect.poll(heardBy(await nextAccepted())).toBe('hello')
  })

  test('a slow link is shared by its connections', async () => {
    const all = [await open(), await open(), await open()]
    const bytesPerSecond = 20_000
    proxy.faults.bytesPerSecond = bytesPerSecond
    const since = performance.now()
    for (const { client } of all) client.write('x'.repeat(4000))
    await expect.poll(() => proxy.carried('toTarget')).toBe(12_000)
    const aheadBytes = 2000 // a slice that is let in ahead of time, and the last one
    expect(performance.now() - since).toBeGreaterThan(((12_000 - aheadBytes) / bytesPerSecond) * 1000)
  })

  test('what waits on a slow link goes at once when it is slow no more', async () => {
    const ends = await open()
    proxy.faults.bytesPerSecond = 10
    ends.client.write('x'.repeat(10_000))
    await expect.poll(() => proxy.carried('toTarget')).toBeGreaterThan(0)
    expect(proxy.carried('toTarget')).toBeLessThan(10_000)
    proxy.faults.bytesPerSecond = 0
    await expect.poll(() => ends.atTarget().length).toBe(10_000)
  })

  test('a cut resets both ends, whatever they were in the middle of', async () => {
    const all = [await open(), await open(), await open()]
    const [writing, leaving] = all
    proxy.faults.stalled = true
    writing?.client.write(Buffer.alloc(20_000_000))
    leaving?.client.end()
    proxy.cut()
    await expect.poll(() => all.flatMap(({ client, target }) => [client.closed, target.closed])).not.toContain(false)
    expect(proxy.connections()).toBe(0)
  })
})
