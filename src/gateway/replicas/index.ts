export { makeDuties } from './duties.js'
export { type Inheritance, makeReplicas, type Replicas, type ReplicaUse, soleReplica } from './replicas.js'
