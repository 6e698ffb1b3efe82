import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A look into the heap of another Node process. */
export interface HeapView {
  /** Bytes in use after a full collection. */
  used(): Promise<number>
  close(): void
}

/** Opens the inspector that a process says to listen at; `lines` are those of its standard error. */
export async function viewHeap(lines: readonly string[]): Promise<HeapView> {
  const url = lines.map((line) => /Debugger listening on (ws:\S+)/.exec(line)?.[1]).find((found) => found !== undefined)
  if (url === undefined) throw new Error('the process has no inspector')
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const waiting = new Map<number, (result: unknown) => void>()
  socket.on('message', (data) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown } // the protocol's own form
    waiting.get(id)?.(result)
  })
  let last = 0
  function call(method: string): Promise<unknown> {
    const id = ++last
    socket.send(JSON.stringify({ id, method }))
    return new Promise((resolve) => waiting.set(id, resolve))
  }
  return {
    async used() {
      // The second collection takes what finalizers of the first let go.
      for (let i = 0; i < 2; i++) await call('HeapProfiler.collectGarbage')
      const { usedSize } = (await call('Runtime.getHeapUsage')) as { usedSize: number }
      return usedSize
    },
    close: () => socket.close(),
  }
}
