import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/index.js'
import type { KubernetesObject, Rendered } from './chart.js'

/** What `patchbay check` says of the files of a ConfigMap, with Secrets as they would be mounted. */
export async function checked(documents: Rendered): Promise<string> {
  const { data } = documents.get('ConfigMap/patchbay') as KubernetesObject & { data: Record<string, string> } // that is its form
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-configmap-'))
  try {
    const secrets = join(folder, 'secrets')
    for (const [, file] of Object.values(data)
      .join()
      .matchAll(/\/run\/secrets\/(\S+)/g)) {
      mkdirSync(join(secrets, file!, '..'), { recursive: true })
      writeFileSync(join(secrets, file!), '-----BEGIN X-----')
    }
    for (const [name, text] of Object.entries(data)) {
      writeFileSync(join(folder, name), text.replaceAll('/run/secrets', secrets))
    }
    const names = [...data['patchbay.yaml']!.matchAll(/env: (\w+)|\$\{(\w+)/g)].map(([, one, other]) => one ?? other!)
    const env = Object.fromEntries(names.map((name) => [name, 'secret']))
    const lines: string[] = []
    const out = async (text: string | Uint8Array) => void lines.push(String(text))
    const io = { stdin: (async function* () {})(), env, out, err: (line: string) => void lines.push(line) }
    await runCli(['check', '-c', join(folder, 'patchbay.yaml')], io)
    return lines.join('')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
