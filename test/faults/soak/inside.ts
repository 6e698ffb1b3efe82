import { openInspector } from '../../harness/inspector.js'
import type { GatewayProcess } from '../gateway-process.js'

/** Node options of a process that {@link lookInside} can look into. */
export const OPEN_TO_LOOK = ['--expose-gc', '--inspect=127.0.0.1:0']

/** What a process holds after a forced collection. */
export interface Figures {
  readonly heapBytes: number
  readonly residentBytes: number
  /** Sockets and servers. */
  readonly handles: number
  /** Timers that keep it alive. */
  readonly timers: number
  /** Listeners on its sockets, its servers and on the process itself. */
  readonly listeners: number
}

/** Everything of its kind in the heap of a process, whoever holds it. */
export interface Census {
  readonly timers: number
  readonly emitters: number
  /** Listeners on all emitters. */
  readonly listeners: number
}

/** A look into a running process from outside, by the protocol of its inspector. */
export interface Inside {
  /** Stops the process for some hundredths of a second. */
  figures(): Promise<Figures>
  /** Stops the process for seconds: for times in which it is at rest. */
  census(): Promise<Census>
  close(): void
}

interface Evaluated {
  readonly result?: RemoteObject
  readonly objects?: RemoteObject
  readonly exceptionDetails?: unknown
}

interface RemoteObject {
  readonly objectId?: string
  readonly value?: unknown
}

const GROUP = 'figures'

const LISTENERS_OF = '(each) => each.eventNames().reduce((sum, name) => sum + each.listenerCount(name), 0)'
const HELD = `(gc(), gc(), (() => {
  const { heapUsed, rss } = process.memoryUsage()
  const handles = process._getActiveHandles()
  const emitters = [process, ...handles.filter((each) => each.eventNames)]
  return {
    heapBytes: heapUsed,
    residentBytes: rss,
    handles: handles.length,
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
    listeners: emitters.reduce((sum, each) => sum + (${LISTENERS_OF})(each), 0),
  }
})())`
const EMITTER = `process.getBuiltinModule('node:events').prototype`
const TIMER = 'Object.getPrototypeOf(setTimeout(() => undefined, 0))'
const COUNT = 'function () { return this.length }'
/** Prototypes are among the emitters, and have no listeners to ask for. */
const COUNT_LISTENERS = `function () {
  return this.filter((each) => each._events).map(${LISTENERS_OF}).reduce((sum, count) => sum + count, 0)
}`

/** @throws Error for a process that was started without {@link OPEN_TO_LOOK}. */
export async function lookInside({ lines }: GatewayProcess): Promise<Inside> {
  const inspector = await openInspector(lines)

  async function ask(method: string, params: object): Promise<RemoteObject> {
    const { result, objects, exceptionDetails } = (await inspector.ask(method, params)) as Evaluated // the protocol's own form
    if (exceptionDetails !== undefined) throw new Error(`${method}: ${JSON.stringify(exceptionDetails)}`)
    return result ?? objects ?? {}
  }
  const evaluate = (expression: string, returnByValue: boolean) =>
    ask('Runtime.evaluate', { expression, returnByValue, objectGroup: GROUP })
  const call = async (objectId: string, functionDeclaration: string) =>
    Number((await ask('Runtime.callFunctionOn', { objectId, functionDeclaration, returnByValue: true })).value)
  /** Everything in the heap that inherits from what the expression says. */
  async function all(prototype: string): Promise<string> {
    const { objectId } = await evaluate(prototype, false)
    const found = await ask('Runtime.queryObjects', { prototypeObjectId: objectId, objectGroup: GROUP })
    return found.objectId ?? ''
  }

  return {
    async figures() {
      return (await evaluate(HELD, true)).value as Figures // as HELD makes them
    },
    async census() {
      const [emitters, timers] = [await all(EMITTER), await all(TIMER)]
      const census = {
        timers: await call(timers, COUNT),
        emitters: await call(emitters, COUNT),
        listeners: await call(emitters, COUNT_LISTENERS),
      }
      await ask('Runtime.releaseObjectGroup', { objectGroup: GROUP })
      return census
    },
    close: inspector.close,
  }
}
