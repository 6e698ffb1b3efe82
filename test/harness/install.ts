import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { findNats, findRabbitMq } from '../../src/cli/private-brokers/index.js'
import { hasAsteriskRoot } from './asterisk/index.js'
import { hasDockerEngine } from './containers.js'
import { hasImageProgram, IMAGE_PROGRAMS } from './images/index.js'

/** Debian's hook that is asked before an installation starts a service; 101 means no. */
const POLICY_HOOK = '/usr/sbin/policy-rc.d'

const isRunnable = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined

/** What no container stands in for. */
const ON_THIS_MACHINE = ['openssl', 'prometheus', 'sip-tester']

/** What only tests of images need; where it cannot be had, they are the ones to fail. */
const missingForImages = () => Object.keys(IMAGE_PROGRAMS).filter((name) => !hasImageProgram(name))

/** `contained`: whether a Docker engine runs Asterisk. */
function missingPackages(contained: boolean): string[] {
  const present: Readonly<Record<string, boolean>> = {
    'rabbitmq-server': findRabbitMq() !== undefined,
    'nats-server': findNats() !== undefined,
    ruby: isRunnable('ruby'),
    openssl: isRunnable('openssl'),
    prometheus: isRunnable('promtool'),
    'sip-tester': isRunnable('sipp'),
    debootstrap: contained || hasAsteriskRoot() || existsSync('/usr/sbin/debootstrap'),
  }
  return Object.keys(present).filter((name) => !present[name])
}

/** Keeps what is installed in `action` from being started as a service of the machine. */
function withoutServices(action: () => void): void {
  const kept = `${POLICY_HOOK}.patchbay-kept`
  const existed = existsSync(POLICY_HOOK)
  if (existed) renameSync(POLICY_HOOK, kept)
  try {
    writeFileSync(POLICY_HOOK, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
    action()
  } finally {
    rmSync(POLICY_HOOK, { force: true })
    if (existed) renameSync(kept, POLICY_HOOK)
  }
}

/** @returns why it failed, or undefined. */
function installFromDebian(packages: readonly string[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]) => execFileSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  process.stderr.write(`installing ${packages.join(', ')} from Debian\n`)
  try {
    withoutServices(() => {
      apt('-q', 'update')
      apt('-q', 'install', '-y', '--no-install-recommends', ...packages)
    })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * Makes sure that real brokers, real Ruby, openssl, promtool, SIPp and what Asterisk and images are prepared with can be
 * had: they are on the machine, or are installed from Debian where that is allowed, or a Docker
 * engine answers.
 * @throws Error that says what to install.
 */
export async function ensureInstalled(): Promise<void> {
  const contained = await hasDockerEngine()
  const missing = [...missingPackages(contained), ...missingForImages()]
  if (missing.length === 0) return
  const mayInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
  const failure = mayInstall ? installFromDebian(missing) : undefined
  const left = missingPackages(contained)
  if (left.length === 0) return
  if (contained && !left.some((name) => ON_THIS_MACHINE.includes(name))) return
  throw new Error(
    `The tests need ${left.join(', ')}. Install them (Debian: apt-get install ${left.join(' ')}), ` +
      'run the tests as root on Debian so that they can do it, or start a Docker engine.' +
      (failure === undefined ? '' : ` Installing them failed: ${failure}`),
  )
}
