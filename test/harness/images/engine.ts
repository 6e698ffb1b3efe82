import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensureBaseImages } from './base.js'

/** Podman and Buildah with a storage of the caller's own, which is empty but for the base images. */
export interface ImageEngine {
  /** For what goes with the engine. */
  readonly folder: string
  /** With this environment Podman and Buildah use the storage. */
  readonly env: NodeJS.ProcessEnv
  /** Runs `podman` and gives what it printed, without a line break at the end. @throws Error with its output. */
  podman(...args: string[]): Promise<string>
  /** Runs `buildah` alike. */
  buildah(...args: string[]): Promise<string>
  /** Ends and removes the containers, and removes the images and the folder. */
  remove(): Promise<void>
}

/** Its standard input closes when our process ends, in whatever way; then everything goes. Argument: folder. */
const END_SCRIPT = `
read -r line
podman rm --all --force --time 0
podman image unmount --all --force
rm -rf --one-file-system -- "$0"
`
const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024

/** The lowered limits are what a machine without more rights of its own can grant; there need be no systemd. */
const containersConf = (folder: string) => `
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
static_dir = "${folder}/static"
tmp_dir = "${folder}/state"
volume_path = "${folder}/volumes"
`

const storageConf = (folder: string, base: string) => `
[storage]
driver = "overlay"
graphroot = "${folder}/graph"
runroot = "${folder}/run"
[storage.options]
additionalimagestores = ["${base}"]
[storage.options.overlay]
skip_mount_home = "true"
`

async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  try {
    const options = { env, maxBuffer: OUTPUT_LIMIT_BYTES }
    return (await promisify(execFile)(program, args, options)).stdout.replace(/\n$/, '')
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string } // as execFile rejects
    throw new Error(`${program} ${args.join(' ')} failed: ${`${stdout}\n${stderr}`.trim()}`, { cause })
  }
}

/**
 * Makes an engine of the caller's own; several work side by side. The first call on a machine prepares the base images.
 * @throws Error that says what is missing.
 */
export async function openImageEngine(): Promise<ImageEngine> {
  const base = await ensureBaseImages()
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-images-'))
  const at = (name: string) => join(folder, name)
  mkdirSync(at('tmp'))
  writeFileSync(at('containers.conf'), containersConf(folder))
  writeFileSync(at('storage.conf'), storageConf(folder, base))
  const env = {
    ...process.env,
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
    CONTAINERS_CONF: at('containers.conf'),
    CONTAINERS_STORAGE_CONF: at('storage.conf'),
    TMPDIR: at('tmp'),
  }
  const guard = spawn('/bin/sh', ['-c', END_SCRIPT, folder], {
    env,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const gone = once(guard, 'close')
  guard.unref()
  return {
    folder,
    env,
    podman: (...args) => run('podman', args, env),
    buildah: (...args) => run('buildah', args, env),
    async remove() {
      guard.ref()
      guard.stdin.end()
      await gone
    },
  }
}
