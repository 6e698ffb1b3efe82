export { makeDuties } from './duties.js'
export { type Inheritance, makeReplicas, type Replicas, type ReplicaUse, soleReplica } from './replicas.js'
export type { RevisionTexts } from './revisions.js'
