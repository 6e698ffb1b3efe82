import { EVENT_HEAD, type Shape, type Shapes } from './models.js'
import type { Operation, Resource } from './route.js'

/**
 * Describes what is served, in the form of Swagger 1.1, from the table that serves it. Clients make their
 * methods of it, and read from it which objects an event holds.
 */
export interface ApiDocs {
  /** What `/ari/api-docs/FILE` says to a client that calls us by `base`; undefined when there is no such file. */
  read(file: string, base: string): unknown
}

const VERSION = '2.0.0'

export function makeApiDocs(resources: readonly Resource[]): ApiDocs {
  const byFile = new Map(resources.map((resource) => [`${resource.name}.json`, resource]))
  return {
    read(file, base) {
      if (file === 'resources.json') return listing(resources, base)
      const resource = byFile.get(file)
      return resource === undefined ? undefined : declaration(resource, base)
    },
  }
}

function listing(resources: readonly Resource[], basePath: string) {
  return {
    apiVersion: VERSION,
    swaggerVersion: '1.1',
    basePath,
    apis: resources.map(({ name, description }) => ({ path: `/api-docs/${name}.{format}`, description })),
  }
}

function declaration({ name, operations, shapes }: Resource, basePath: string) {
  const paths = [...new Set(operations.map(({ path }) => path))]
  return {
    apiVersion: VERSION,
    swaggerVersion: '1.1',
    basePath,
    resourcePath: `/api-docs/${name}.{format}`,
    apis: paths.map((path) => ({
      path,
      operations: operations.filter((each) => each.path === path).map(describeOperation),
    })),
    models: Object.fromEntries(Object.entries(shapes).map(([id, shape]) => [id, describeShape(id, shape)])),
  }
}

function describeOperation({ method, path, nickname, summary, answers, parameters = [] }: Operation) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    paramType: 'path',
    required: true,
    allowMultiple: false,
    dataType: 'string',
  }))
  const others = parameters.map((parameter) => ({
    name: parameter.name,
    paramType: parameter.in ?? 'query',
    required: parameter.required ?? false,
    allowMultiple: parameter.multiple ?? false,
    dataType: parameter.type ?? 'string',
  }))
  return { httpMethod: method, nickname, summary, responseClass: answers, parameters: [...inPath, ...others] }
}

function describeShape(id: string, shape: Shape) {
  const properties = Object.entries(shape).map(([name, type]) => [
    name,
    { type: type.replace('?', ''), required: !type.endsWith('?') },
  ])
  return { id, properties: Object.fromEntries(properties) }
}

/** Shapes of events with what every event carries. */
export function wholeEvents(events: Shapes): Shapes {
  const whole = Object.entries(events).map(([type, shape]) => [type, { ...EVENT_HEAD, ...shape }] as const)
  return Object.fromEntries([['Message', EVENT_HEAD] as const, ['Event', EVENT_HEAD] as const, ...whole])
}
