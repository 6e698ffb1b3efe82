const LEAVES = ['errors', 'model']
const PLUMBING = [...LEAVES, 'config', 'codecs', 'codecs/*', 'mapping', 'transports', 'transports/*', 'telemetry']

/**
 * The units that a source file may belong to, and the units that each may import. A file directly
 * in `codecs` or `transports` is shared by the folders in it, which otherwise do not know each other.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  model: [],
  config: LEAVES,
  codecs: ['errors'],
  'codecs/*': ['errors', 'codecs'],
  mapping: [...LEAVES, 'config', 'codecs'],
  transports: ['errors'],
  'transports/*': ['errors', 'transports'],
  telemetry: [...LEAVES, 'transports'],
  cluster: [...LEAVES, 'telemetry'],
  calls: [...PLUMBING, 'cluster'],
  gateway: [...PLUMBING, 'cluster', 'calls'],
  cli: [...PLUMBING, 'cluster', 'calls', 'gateway'],
  index: [...PLUMBING, 'gateway'],
  main: ['errors', 'cli'],
}

/** Folders whose sub-folders are strangers to each other. */
const SPLIT = new Set(['codecs', 'transports'])

/** Files beside `index.ts` by which others may enter a folder; a codec's index is for users of the package. */
const SIDE_DOORS = [/^src\/codecs\/[^/]+\/codec\.ts$/]

/** Unit of a file under `src`: `config`, `codecs/json-rpc`, `errors`. */
export function unitOf(file: string): string {
  const [, first = '', second] = file.split('/')
  if (second === undefined) return first.replace(/\.ts$/, '')
  return SPLIT.has(first) && file.split('/').length > 3 ? `${first}/${second}` : first
}

const kindOf = (unit: string) => unit.replace(/\/.*/, '/*')

/** What units of this one's kind may import; undefined for a unit that the layout does not know. */
export function allowedUnits(unit: string): readonly string[] | undefined {
  return MAY_IMPORT[kindOf(unit)]
}

/** Whether one unit may import another. */
export function mayImport(from: string, to: string): boolean {
  return from === to || (allowedUnits(from)?.includes(kindOf(to)) ?? false)
}

/** Whether a file is meant to be imported from outside its folder although it is not the index. */
export function isSideDoor(file: string): boolean {
  return SIDE_DOORS.some((door) => door.test(file))
}
