import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers'
import { type AsteriskPlace, INSTANCE_BASE, SERVER_ARGS, STOP_TIMEOUT_MS } from './place.js'

const BUILD_FOLDER = fileURLToPath(new URL('.', import.meta.url))
const IMAGE = 'patchbay-test-asterisk'
const LOG_FILE = `${INSTANCE_BASE}/log/messages.log`
const LOG_LINES = 30
/** Asterisk reads its time zone from a file only, and logs to files only; the engine shows what is printed. */
const COMMAND = [
  'ln -sf "/usr/share/zoneinfo/$TZ" /etc/localtime',
  `tail -F ${LOG_FILE} & exec asterisk ${SERVER_ARGS.join(' ')}`,
].join('\n')

/** Builds the image, which the first call on a machine downloads some 200 MB for. */
export function buildAsteriskImage(): Promise<GenericContainer> {
  return GenericContainer.fromDockerfile(BUILD_FOLDER).build(IMAGE, { deleteOnExit: false })
}

async function startContainer(timeZone: string, fill: (folder: string) => void): Promise<StartedTestContainer> {
  const image = await buildAsteriskImage()
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-asterisk-'))
  try {
    fill(folder)
    return await image
      .withNetworkMode('host') // SIP messages name addresses, which only so are those that a test's phones reach
      .withCopyDirectoriesToContainer([{ source: folder, target: INSTANCE_BASE }])
      .withEnvironment({ TZ: timeZone })
      .withCommand(['sh', '-c', COMMAND])
      .withAutoRemove(false)
      .start()
  } finally {
    await rm(folder, { recursive: true })
  }
}

/**
 * An instance in a container of the image that the Dockerfile beside this file describes, in the
 * network of the engine's host. `fill` writes the folder that is copied into it.
 */
export async function containerPlace(timeZone: string, fill: (folder: string) => void): Promise<AsteriskPlace> {
  const { container: engine } = await getContainerRuntimeClient()
  let started: StartedTestContainer | undefined
  const handle = () => {
    if (started === undefined) throw new Error('this Asterisk was never started')
    return engine.getById(started.getId())
  }
  const running = async () => started !== undefined && (await engine.inspect(handle())).State.Running
  const run = async (program: string, args: readonly string[]) => {
    const { exitCode, output } = await engine.exec(handle(), [program, ...args])
    if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')}: ${output}`)
    return output
  }
  return {
    pid: undefined,
    running,
    async start() {
      if (started === undefined) started = await startContainer(timeZone, fill)
      else await handle().start()
    },
    async end(signal) {
      if (!(await running())) return
      if (signal === 'SIGKILL') await handle().kill({ signal })
      else await engine.stop(handle(), { timeout: STOP_TIMEOUT_MS })
    },
    run,
    async log() {
      if (await running()) return run('tail', ['-n', String(LOG_LINES), LOG_FILE])
      return started === undefined ? '' : text(await engine.logs(handle(), { tail: LOG_LINES })) // ends with the container
    },
    async remove() {
      await started?.stop({ remove: true, removeVolumes: true })
      started = undefined
    },
  }
}
