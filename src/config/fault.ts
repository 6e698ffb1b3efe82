/**
 * Every code a fault of a configuration or mapping file can carry, with its meaning in a line.
 * `yaml.*` is about the text, `config.*` about `patchbay.yaml`, `mapping.*` about mapping files.
 */
export const FAULT_CODES = {
  'yaml.syntax': 'the text is not YAML',
  'yaml.duplicate-key': 'a key stands twice in one mapping',
  'yaml.key': 'a key is not plain text',
  'yaml.tag': 'a tag that these files do not know',
  'yaml.alias': 'an alias without an anchor, or one inside its own anchor',
  'yaml.documents': 'more than one document in a file',
  'yaml.number': 'a number that would lose digits',
  'yaml.limit': 'the file is too large, too deep, or grows too much through aliases',
  'config.file': 'a file cannot be read',
  'config.unknown-key': 'a key that nobody reads',
  'config.type': 'a value of the wrong type',
  'config.missing': 'a required key is missing',
  'config.value': 'a value of the right type that is not allowed here',
  'config.environment': 'an environment variable that is not set',
  'config.link': 'a link that does not exist or does not fit its place',
  'config.route': 'a route that cannot work or is not safe',
  'config.subject': 'a NATS subject that is not well-formed',
  'config.stream': 'a stream whose subjects are not allowed or overlap',
  'config.restart': 'a change that takes effect only when the gateway is started anew',
  'mapping.file': 'a mapping file cannot be read',
  'mapping.unknown-key': 'a key that nobody reads',
  'mapping.type': 'a value of the wrong type',
  'mapping.missing': 'a required key is missing',
  'mapping.value': 'a value of the right type that is not allowed here',
  'mapping.field': 'a model field or wire field that does not exist or is not placed',
  'mapping.conversion': 'a conversion that cannot give what the model field holds',
  'mapping.table': 'a table that does not exist or is ambiguous',
  'mapping.setting': 'a setting that does not exist',
  'mapping.template': 'a text template that is not well-formed',
  'mapping.expression': 'a CEL expression that is not well-formed or not allowed',
  'mapping.class': 'a class that the codec does not let in',
  'mapping.contradiction': 'rules that exclude each other',
  'mapping.dead-rule': 'a rule that nothing can ever reach',
  'mapping.unmapped': 'a model field that must be mapped and is not',
  'mapping.law': 'a rule that does not give back what went in, and does not say so',
  'mapping.test': 'a test case of a mapping that does not hold',
} as const

/** One of the keys of {@link FAULT_CODES}. */
export type FaultCode = keyof typeof FAULT_CODES

/** A place in a text; both count from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** One thing that is wrong in a file: where, what, and what would be right. */
export interface Fault extends Position {
  readonly file: string
  readonly code: FaultCode
  readonly what: string
  readonly right: string
}

/** `file:line:column: code`, without anything of what the file says there. */
export function placeOf({ file, line, column, code }: Omit<Fault, 'what' | 'right'>): string {
  return `${file}:${line}:${column}: ${code}`
}

/** `file:line:column: code: what; what would be right`. */
export function formatFault(fault: Fault): string {
  return `${placeOf(fault)}: ${fault.what}; ${fault.right}`
}

/** A new list in the order a reader meets the faults: by file, line, column; without exact repetitions. */
export function sortFaults(faults: readonly Fault[]): Fault[] {
  const seen = new Set<string>()
  const unique = faults.filter((fault) => {
    const line = formatFault(fault)
    return !seen.has(line) && seen.add(line)
  })
  return unique.sort((a, b) => compareText(a.file, b.file) || a.line - b.line || a.column - b.column)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
