import { afterAll, beforeAll, expect, test } from 'vitest'
import { amqpTransport } from '../../src/transports/amqp/index.js'
import { natsTransport } from '../../src/transports/nats/index.js'
import type { TlsConfig } from '../../src/transports/tls.js'
import type { Address, Transport } from '../../src/transports/transport.js'
import {
  type Certificates,
  makeCertificates,
  startNats,
  startRabbitMq,
  type TestNats,
  type TestRabbitMq,
} from '../harness/index.js'
import { recorder } from './recorder.js'

let certificates: Certificates
let strangers: Certificates
let rabbitMq: TestRabbitMq
let nats: TestNats

beforeAll(async () => {
  certificates = makeCertificates()
  strangers = makeCertificates()
  const { caFile, server, folder } = certificates
  const files = `cert_file: "${server.certFile}", key_file: "${server.keyFile}", ca_file: "${caFile}"`
  ;[rabbitMq, nats] = await Promise.all([
    startRabbitMq({ tls: { caFile, ...server } }),
    startNats({ extraConfig: `tls { ${files}, verify: true }`, mount: folder }),
  ])
})
afterAll(async () => {
  await Promise.all([rabbitMq.stop(), nats.stop()])
  certificates.remove()
  strangers.remove()
})

interface SecureLink {
  readonly name: string
  readonly address: Address
  open(tls: TlsConfig): Transport
}

const links: readonly SecureLink[] = [
  {
    name: 'amqp',
    address: { exchange: 'amq.topic', key: 'a' },
    open: (tls) => amqpTransport({ urls: [rabbitMq.tlsUrl ?? ''], tls }),
  },
  {
    name: 'nats',
    address: { subject: 'a' },
    open: (tls) => natsTransport({ servers: [`tls://localhost:${nats.port}`], tls }),
  },
]

const clientOf = ({ client, caFile, read }: Certificates): Required<Pick<TlsConfig, 'ca' | 'cert' | 'key'>> => ({
  ca: read(caFile),
  cert: read(client.certFile),
  key: read(client.keyFile),
})

for (const { name, address, open } of links) {
  test(`${name}: a frame goes over a connection on which both sides showed a certificate`, async () => {
    const transport = open(clientOf(certificates))
    await transport.start(recorder())
    await transport.send({ address, headers: {}, body: Buffer.from('x') })
    await transport.stop()
  })

  const refused: readonly { readonly says: string; readonly tls: () => TlsConfig }[] = [
    {
      says: 'a server whose CA we do not trust',
      tls: () => ({ ...clientOf(certificates), ca: strangers.read(strangers.caFile) }),
    },
    {
      says: 'a certificate of ours that the server does not trust',
      tls: () => ({ ...clientOf(strangers), ca: certificates.read(certificates.caFile) }),
    },
    { says: 'no certificate of ours', tls: () => ({ ca: certificates.read(certificates.caFile) }) },
    {
      says: 'a name that is not in the certificate',
      tls: () => ({ ...clientOf(certificates), servername: 'elsewhere.example' }),
    },
    { says: 'a key that is no key', tls: () => ({ ...clientOf(certificates), key: 'nonsense' }) },
  ]
  for (const { says, tls } of refused) {
    test(`${name}: ${says} ends the start with one clear error`, async () => {
      const transport = open(tls())
      const error: unknown = await transport.start(recorder()).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'link.connect', fate: 'reject' })
      expect(String(error)).toMatch(/TLS failed with .*; check the CA, our certificate and key/)
      await transport.stop()
    })
  }
}
