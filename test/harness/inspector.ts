import { once } from 'node:events'
import { WebSocket } from 'ws'

/** The inspector of another Node process. */
export interface Inspector {
  /** Asks by a method of its protocol. @throws Error with what it answered instead of a result. */
  ask(method: string, params?: object): Promise<unknown>
  close(): void
}

/** A look into the heap of another Node process. */
export interface HeapView {
  /** Bytes in use after a full collection. */
  used(): Promise<number>
  close(): void
}

/** Opens the inspector that a process started with `--inspect` says to listen at; `lines` are those of its standard error. */
export async function openInspector(lines: readonly string[]): Promise<Inspector> {
  const url = lines.map((line) => /Debugger listening on (ws:\S+)/.exec(line)?.[1]).find((found) => found !== undefined)
  if (url === undefined) throw new Error('the process has no inspector')
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const waiting = new Map<number, (answer: { result?: unknown; error?: unknown }) => void>()
  socket.on('message', (data) => {
    const answer = JSON.parse(String(data)) as { id: number; result?: unknown; error?: unknown } // the protocol's own form
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  })
  let last = 0
  return {
    async ask(method, params = {}) {
      const id = ++last
      socket.send(JSON.stringify({ id, method, params }))
      const { result, error } = await new Promise<{ result?: unknown; error?: unknown }>((resolve) =>
        waiting.set(id, resolve),
      )
      if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`)
      return result
    },
    close: () => socket.close(),
  }
}

/** Opens a view of a heap by the inspector that these lines tell of. */
export async function viewHeap(lines: readonly string[]): Promise<HeapView> {
  const { ask, close } = await openInspector(lines)
  return {
    async used() {
      // The second collection takes what finalizers of the first let go.
      for (let i = 0; i < 2; i++) await ask('HeapProfiler.collectGarbage')
      const { usedSize } = (await ask('Runtime.getHeapUsage')) as { usedSize: number }
      return usedSize
    },
    close,
  }
}
