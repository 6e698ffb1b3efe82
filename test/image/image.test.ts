import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { freePorts } from '../../src/cli/private-brokers/index.js'
import { freshName, freshVhost, type ImageEngine, openImageEngine, startNats, type TestNats } from '../harness/index.js'
import { type LegacySide, legacySide, until, type XccSide, xccSide } from '../integration/site.js'
import { bomSchema } from './bom.js'
import { BUILD_ARGS, buildImage, filesIn, IMAGE, lockedPackages, makeFolder } from './build.js'

const LIMIT_MB = 200

let engine: ImageEngine
beforeAll(async () => {
  engine = await openImageEngine()
  await buildImage(engine)
}, 300_000)
afterAll(() => engine?.remove())

interface Settings {
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
  readonly WorkingDir: string
}
async function inspect<T>(format: string): Promise<T> {
  return JSON.parse(await engine.podman('image', 'inspect', '--format', `{{json ${format}}}`, IMAGE)) as T // as Podman writes it
}

describe('what is in the image', () => {
  let root: string
  let files: Map<string, number>
  beforeAll(async () => {
    root = await engine.podman('image', 'mount', IMAGE)
    files = filesIn(root)
  })
  const paths = (pattern: RegExp) => [...files.keys()].filter((path) => pattern.test(path))
  const megabytes = (pattern: RegExp) => paths(pattern).reduce((sum, path) => sum + files.get(path)!, 0) / 1e6
  const read = (path: string) => readFileSync(join(root, path), 'utf8')

  test(`less than ${LIMIT_MB} MB, unpacked`, () => {
    const parts = {
      'Node itself': /^usr\/local\/bin\/node$/,
      'the libraries it is linked to': /^(usr\/)?lib/,
      'packages of npm': /^app\/node_modules\//,
      'everything else': /^(?!usr\/local\/bin\/node$|(usr\/)?lib|app\/node_modules\/)/,
    }
    const told = Object.entries(parts).map(([name, pattern]) => `${name} ${megabytes(pattern).toFixed(1)} MB`)
    console.log(`image size, unpacked: ${megabytes(/./).toFixed(1)} MB: ${told.join(', ')}`)
    expect(megabytes(/./)).toBeLessThan(LIMIT_MB)
  })

  test('nothing to run but Node: no shell, no package manager', () => {
    expect(paths(/^(usr\/)?(local\/)?s?bin\//)).toEqual(['usr/local/bin/node'])
  })

  test('of the packages of npm those that production needs, in the versions that are locked', () => {
    const manifests = paths(
      /^app\/node_modules\/((?:@[^/]+\/)?[^/]+\/node_modules\/)*(?:@[^/]+\/)?[^/]+\/package\.json$/,
    )
    const found = manifests.map((path): [string, string] => [
      path.slice('app/'.length, -'/package.json'.length),
      (JSON.parse(read(path)) as { version: string }).version, // a manifest of npm
    ])
    expect(new Map(found.sort())).toEqual(new Map([...lockedPackages()].sort()))
  })

  test('nothing that only serves to develop', () => {
    expect(paths(/^app\/(src|test|bench|helm)\/|\.[mc]?ts$|\.map$/)).toEqual([])
    expect(paths(/^app\/[^/]+$/).sort()).toEqual(['app/LICENSE', 'app/package.json', 'app/sbom.cdx.json'])
  })

  test('a bill of materials that names every package of npm, Node, and the libraries', () => {
    const bom = bomSchema.parse(JSON.parse(read('app/sbom.cdx.json')))
    const named = bom.components.map(({ name, version }) => `${name}@${version}`)
    const npm = [...lockedPackages()].map(([path, version]) => `${path.replace(/^.*node_modules\//, '')}@${version}`)
    expect(named).toEqual(expect.arrayContaining(npm))
    const others = bom.components.filter(({ purl }) => !purl.startsWith('pkg:npm/'))
    expect(others.map(({ name }) => name)).toEqual(expect.arrayContaining(['node', 'libc6', 'libstdc++6']))
    expect(named).toHaveLength(npm.length + others.length)
    expect(bom.metadata.component).toMatchObject({ name: 'patchbay', type: 'application' })
    const references = new Set([bom.metadata.component, ...bom.components].map((each) => each['bom-ref']))
    expect(references.size).toBe(bom.components.length + 1)
    const used = bom.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn])
    expect(used.filter((reference) => !references.has(reference))).toEqual([])
  })

  test('it says what it is, and how it is started', async () => {
    expect(await inspect<Settings>('.Config')).toMatchObject({
      User: '1000:1000',
      WorkingDir: '/app',
      Entrypoint: ['node', '/app/dist/main.js'],
      Cmd: ['run', '-c', '/etc/patchbay/patchbay.yaml'],
      Labels: {
        'org.opencontainers.image.title': 'Patchbay',
        'org.opencontainers.image.licenses': 'Apache-2.0',
        'org.opencontainers.image.version': BUILD_ARGS.VERSION,
        'org.opencontainers.image.revision': BUILD_ARGS.REVISION,
        'org.opencontainers.image.source': BUILD_ARGS.SOURCE,
      },
    })
  })
})

describe('the image at work', () => {
  const name = freshName('gateway')
  let nats: TestNats
  let legacy: LegacySide
  let bus: XccSide
  let admin: string
  beforeAll(async () => {
    const amqpUrl = new URL(await freshVhost(inject('amqpUrl'), inject('rabbitMqControl')))
    const [port] = await freePorts(1)
    admin = `http://127.0.0.1:${port}`
    nats = await startNats()
    legacy = await legacySide(amqpUrl.href)
    bus = await xccSide(nats.url)
    const password = decodeURIComponent(amqpUrl.password)
    const configuration = makeFolder(engine, 'configuration', {
      'patchbay.yaml': `
group: ${name}
admin: { port: ${port} }
links:
  legacy:
    type: amqp
    dialect: voice-events
    url: amqp://${amqpUrl.host}${amqpUrl.pathname}
    username: ${decodeURIComponent(amqpUrl.username)}
    password: { file: /run/secrets/patchbay/legacy }
    queue: { type: classic }
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'] }
routes:
  - { from: legacy, to: bus }
`,
    })
    const secrets = makeFolder(engine, 'secrets', { legacy: password })
    await engine.podman(
      ...['run', '--detach', `--name=${name}`, '--no-healthcheck', '--network=host', '--memory=256m'],
      ...['--read-only', '--read-only-tmpfs=false', '--cap-drop=all', '--security-opt=no-new-privileges'],
      ...[`--volume=${configuration}:/etc/patchbay:ro`, `--volume=${secrets}:/run/secrets/patchbay:ro`],
      ...[`--env=PATCHBAY_HEALTH_URL=${admin}/livez`, IMAGE],
    )
  })
  afterAll(async () => {
    await bus?.close()
    await legacy?.close()
    await nats?.stop()
  })

  const state = async (what: string) => engine.podman('inspect', '--format', `{{.State.${what}}}`, name)
  const node = (script: string, ...options: string[]) => engine.podman('exec', ...options, name, 'node', '-e', script)

  async function untilReady(): Promise<void> {
    const end = Date.now() + 20_000
    for (;;) {
      const answer = await fetch(`${admin}/readyz`).catch(() => undefined)
      if (answer?.status === 200) return
      if (Date.now() > end) throw new Error(`it did not get ready:\n${await engine.podman('logs', name)}`)
      await delay(50)
    }
  }

  test('becomes ready, and translates a message of the legacy side to the bus', async () => {
    await untilReady()
    const call = readFileSync('test/fixtures/voice-events/seed-channel-call-state.yaml')
    await legacy.publish('voice_events', 'channel.call_state', call)
    await until(() => bus.events('Event.Channel').length > 0)
    const [first] = bus.events('Event.Channel')
    expect(first?.params).toMatchObject({ uuid: '65da6180-877b-4378-a0bc-161f969fe643', state: 'START' })
  })

  test('runs as user 1000, with no right to more', async () => {
    const status = readFileSync(`/proc/${await state('Pid')}/status`, 'utf8')
    const told = (field: string) => new RegExp(`^${field}:\\t(.*)$`, 'm').exec(status)?.[1]
    expect([told('Uid'), told('Gid')]).toEqual(['1000\t1000\t1000\t1000', '1000\t1000\t1000\t1000'])
    expect([told('CapEff'), told('NoNewPrivs')]).toEqual(['0000000000000000', '1'])
  })

  test.each(['/app/x', '/tmp/x', '/etc/patchbay/x', '/run/secrets/patchbay/x'])(
    'cannot write %s, not even as root',
    async (path) => {
      await expect(node(`require('fs').writeFileSync('${path}', '')`, '--user=0')).rejects.toThrow('EROFS')
    },
  )

  test('its health check tells a process that answers from one that does not', async () => {
    const { Test: check } = await inspect<{ readonly Test: readonly string[] }>('.HealthCheck')
    expect(check[0]).toBe('CMD') // no shell
    const ask = (...options: string[]) => engine.podman('exec', ...options, name, ...check.slice(1))
    expect(await ask()).toBe('')
    await expect(ask('--env=PATCHBAY_HEALTH_URL=http://127.0.0.1:1/livez')).rejects.toMatchObject({
      cause: { code: 1 },
    })
  })

  test('stops on SIGTERM by itself, with 0', async () => {
    await engine.podman('stop', '--time=20', name)
    expect([await state('Status'), await state('ExitCode')]).toEqual(['exited', '0'])
  })
})
