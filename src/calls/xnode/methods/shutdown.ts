import type { NodeMethod } from '../method.js'
import { bad, done } from '../result.js'

/** Register: the node says again that it is there. */
export const register: NodeMethod = {
  on: 'node',
  async run(node) {
    node.announce()
    return done()
  },
}

/** Shutdown: new calls are refused from now on, running ones go on. */
export const shutdown: NodeMethod = {
  on: 'node',
  async run({ nodeUuid, drain }, { params }) {
    const { node_uuid: meant } = params
    if (meant !== undefined && meant !== '' && meant !== nodeUuid)
      return bad(`node_uuid: this is node ${nodeUuid}, not ${String(meant)}`)
    drain.begin()
    return done()
  },
}
