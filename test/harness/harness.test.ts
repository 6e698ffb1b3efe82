import { readFileSync } from 'node:fs'
import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { freshVhost, rubyLoad, rubyTryLoad, startFaultProxy, startNats, type TestNats } from './index.js'

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
