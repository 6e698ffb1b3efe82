import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Certificates, makeCertificates } from '../../harness/index.js'
import { event, startFakeAsterisk } from './fake-asterisk.js'
import { fakeLink, standingLink } from './link.js'

let certificates: Certificates

beforeAll(() => {
  certificates = makeCertificates()
})

afterAll(() => {
  certificates.remove()
})

function startServer() {
  const { read, caFile, server } = certificates
  const own = { ca: read(caFile), cert: read(server.certFile), key: read(server.keyFile) }
  return startFakeAsterisk({ ...own, requestCert: true, rejectUnauthorized: true })
}

function client() {
  const { read, caFile, client } = certificates
  return { ca: read(caFile), cert: read(client.certFile), key: read(client.keyFile) }
}

test('requests and events go over TLS, with our own certificate', async () => {
  const { fake, heard } = await standingLink({ tls: client() }, await startServer())
  fake.tell(event('Over TLS'))
  await heard.received(5)
  fake.cut()
  await heard.until('up', 2)
})

test('a server whose certificate nobody vouches for is refused, and that is said', async () => {
  const { read, client } = certificates
  const tls = { cert: read(client.certFile), key: read(client.keyFile) }
  const { heard, link } = await fakeLink({ tls }, await startServer())
  await expect(link.start(heard)).rejects.toMatchObject({
    code: 'link.connect',
    fate: 'reject',
    message: expect.stringMatching(/TLS failed with (SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_)/),
  })
})

test('a server whose certificate is for another name is refused, and that is said', async () => {
  const tls = { ...client(), servername: 'elsewhere' }
  const { heard, link } = await fakeLink({ tls }, await startServer())
  await expect(link.start(heard)).rejects.toMatchObject({
    code: 'link.connect',
    fate: 'reject',
    message: expect.stringContaining('TLS failed with ERR_TLS_CERT_ALTNAME_INVALID'),
  })
})
