import { textOf } from '../json.js'
import { ENDPOINT_SHAPES } from '../models.js'
import { json, refusal } from '../reply.js'
import type { Resource } from '../route.js'
import type { World } from '../world.js'

export function endpointResource({ shadow }: World): Resource {
  return {
    name: 'endpoints',
    description: 'Telephones and lines.',
    shapes: ENDPOINT_SHAPES,
    operations: [
      {
        method: 'GET',
        path: '/endpoints',
        nickname: 'list',
        summary: 'All endpoints.',
        answers: 'List[Endpoint]',
        handle: () => json(shadow.endpoints()),
      },
      {
        method: 'GET',
        path: '/endpoints/{tech}',
        nickname: 'listByTech',
        summary: 'All endpoints of a technology.',
        answers: 'List[Endpoint]',
        handle({ path: { tech = '' } }) {
          const found = shadow.endpoints().filter((endpoint) => textOf(endpoint, 'technology') === tech)
          return found.length > 0 ? json(found) : refusal(404, `No Endpoints found - invalid tech ${tech}`)
        },
      },
      {
        method: 'GET',
        path: '/endpoints/{tech}/{resource}',
        nickname: 'get',
        summary: 'One endpoint.',
        answers: 'Endpoint',
        handle({ path: { tech, resource } }) {
          const endpoint = shadow.endpoint(`${tech}/${resource}`)
          return endpoint === undefined ? refusal(404, 'Endpoint not found') : json(endpoint)
        },
      },
    ],
  }
}
