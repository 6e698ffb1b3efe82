/**
 * Reading of what humans write: `patchbay.yaml`, and YAML files in general with the place of
 * every node. Everything wrong with a file comes at once, as faults.
 */
export { DEFAULT_STEERING } from './ari-link-schema.js'
export type { Environment } from './environment.js'
export { FAULT_CODES, type Fault, type FaultCode, formatFault, type Position, placeOf, sortFaults } from './fault.js'
export { type LoadResult, loadConfig, mappingPath, parseConfig, SHIPPED_MAPPINGS, shippedMapping } from './load.js'
export { subjectCovers, subjectMistake, subjectsOverlap } from './nats-subjects.js'
export { nearest } from './nearest.js'
export {
  type AmqpLinkConfig,
  type AriLinkConfig,
  type Config,
  configJsonSchema,
  type LinkConfig,
  type NatsLinkConfig,
  type RouteConfig,
} from './schema.js'
export { knownKeys } from './schema-walk.js'
export { secretValues } from './secret-values.js'
export { readYaml, type YamlPath, type YamlSource } from './yaml-source.js'
export { type CustomParams, checkYaml, plainIssues, zodFaults } from './zod-faults.js'
