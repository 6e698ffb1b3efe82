import { METHODS, type Method, type Operation, type Resource } from './route.js'

/** Where a request leads. `allow` are the methods of that place. */
export type Match =
  | { readonly operation: Operation; readonly path: Record<string, string> }
  | { readonly operation?: undefined; readonly allow: string }

/** Finds the operation of a request. */
export interface Router {
  /** @param segments of the path below `/ari`, decoded. Undefined when there is no such place. */
  find(method: string, segments: readonly string[]): Match | undefined
}

interface Place {
  readonly children: Map<string, Place>
  /** The place that any one segment leads to. */
  any: Place | undefined
  readonly operations: Map<Method, Operation>
}

const makePlace = (): Place => ({ children: new Map(), any: undefined, operations: new Map() })

/** Makes a router. A fixed segment goes before a parameter, as `/channels/create` before `/channels/{channelId}`. */
export function makeRouter(resources: readonly Resource[]): Router {
  const root = makePlace()
  for (const operation of resources.flatMap(({ operations }) => operations)) {
    let place = root
    for (const segment of segmentsOf(operation.path)) place = step(place, segment)
    place.operations.set(operation.method, operation)
  }

  return {
    find(method, segments) {
      let place: Place | undefined = root
      for (const segment of segments) place = place?.children.get(segment) ?? place?.any
      if (place === undefined) return undefined
      const operation = place.operations.get(method as Method) // any other method is no key
      if (operation !== undefined) return { operation, path: parametersOf(operation, segments) }
      return { allow: ['OPTIONS', ...METHODS.filter((each) => allows(place, each))].join(',') }
    },
  }
}

function allows({ operations }: Place, method: Method): boolean {
  const operation = operations.get(method)
  return operation !== undefined && operation.isUpgrade !== true
}

function segmentsOf(path: string): string[] {
  return path.split('/').slice(1)
}

function step(place: Place, segment: string): Place {
  if (segment.startsWith('{')) {
    place.any ??= makePlace()
    return place.any
  }
  const child = place.children.get(segment) ?? makePlace()
  place.children.set(segment, child)
  return child
}

function parametersOf({ path }: Operation, segments: readonly string[]): Record<string, string> {
  const named = segmentsOf(path).map((segment, at) => [segment, segments[at] ?? ''] as const)
  return Object.fromEntries(
    named.flatMap(([name, value]) => (name.startsWith('{') ? [[name.slice(1, -1), value]] : [])),
  )
}
