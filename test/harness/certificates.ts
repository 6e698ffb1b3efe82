import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noteSecret } from '../tools/run-logs.js'

/** PEM files of a certificate authority made for one test, and of a server and a client it vouches for. */
export interface Certificates {
  readonly folder: string
  readonly caFile: string
  readonly server: { readonly certFile: string; readonly keyFile: string }
  readonly client: { readonly certFile: string; readonly keyFile: string }
  /** Makes another, for a common name; of negative days it has ended already. Default: a day. */
  issue(name: string, days?: number): { readonly certFile: string; readonly keyFile: string }
  read(file: string): Buffer
  remove(): void
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** Makes them with openssl, valid for a day, for `localhost` and 127.0.0.1. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-certificates-'))
  const at = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const authority = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign']
  const ca = ['-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=patchbay test authority']
  openssl('req', '-x509', ...KEY, '-days', '1', ...ca, ...authority)
  noteSecret(readFileSync(at('ca.key'), 'utf8'))
  let count = 0
  const issue = (commonName: string, days = 1) => {
    const name = `${commonName}-${count++}`
    openssl('req', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${commonName}`)
    const extensions = 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n'
    writeFileSync(at(`${name}.ext`), extensions)
    const signing = [
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      `${days}`,
      '-extfile',
      `${name}.ext`,
    ]
    openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`)
    noteSecret(readFileSync(at(`${name}.key`), 'utf8'))
    return { certFile: at(`${name}.pem`), keyFile: at(`${name}.key`) }
  }
  return {
    folder,
    caFile: at('ca.pem'),
    server: issue('server'),
    client: issue('client'),
    issue,
    read: (file) => readFileSync(file),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
