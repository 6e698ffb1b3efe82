/** Where one Asterisk runs: its process and its folder, started and ended any number of times. */
export interface AsteriskPlace {
  /** Undefined where the process is not one of this machine's. */
  readonly pid: number | undefined
  running(): Promise<boolean>
  /** Starts the process; it need not answer yet. */
  start(): Promise<void>
  /** Ends the process and waits until it is gone; one that ignores SIGTERM is killed. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Runs a program where Asterisk runs and gives what it printed. @throws Error with its output. */
  run(program: string, args: readonly string[]): Promise<string>
  /** The end of what was printed and logged. */
  log(): Promise<string>
  /** Ends the process and removes the folder. */
  remove(): Promise<void>
}

/** The folder of an instance as the server sees it. */
export const INSTANCE_BASE = '/srv'
export const MAIN_CONFIGURATION = `${INSTANCE_BASE}/etc/asterisk.conf`
/** In the foreground, configured by the instance's own folder. */
export const SERVER_ARGS = ['-f', '-C', MAIN_CONFIGURATION]

/** How long an Asterisk may take to end itself; calls that stand are hung up first. */
export const STOP_TIMEOUT_MS = 5_000
