/** Files by the files they import. */
export type Graph = ReadonlyMap<string, readonly string[]>

/**
 * One shortest cycle for every group of files that reach each other, starting at the group's first
 * file by name. No cycles: an empty list.
 */
export function findCycles(graph: Graph): string[][] {
  const seen = new Set<string>()
  const cycles: string[][] = []
  for (const start of [...graph.keys()].sort()) {
    if (seen.has(start)) continue
    const cycle = shortestCycle(graph, start)
    if (cycle === undefined) continue
    cycles.push(cycle)
    for (const file of group(graph, start)) seen.add(file)
  }
  return cycles
}

function shortestCycle(graph: Graph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (const file of queue) {
    for (const next of graph.get(file) ?? []) {
      if (next === start) return pathTo(file, start, cameFrom)
      if (cameFrom.has(next)) continue
      cameFrom.set(next, file)
      queue.push(next)
    }
  }
  return undefined
}

function pathTo(file: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const path = [file]
  while (path[0] !== start) path.unshift(cameFrom.get(path[0]!)!)
  return path
}

/** Files that `start` reaches and that reach it. */
function group(graph: Graph, start: string): string[] {
  return reachable(graph, start).filter((file) => reachable(graph, file).includes(start))
}

function reachable(graph: Graph, start: string): string[] {
  const found = new Set<string>()
  const queue = [start]
  for (const file of queue) {
    for (const next of graph.get(file) ?? []) {
      if (found.has(next)) continue
      found.add(next)
      queue.push(next)
    }
  }
  return [...found]
}
