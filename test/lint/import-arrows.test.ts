import { expect, test } from 'vitest'
import { checkArrows, formatArrowFault } from './import-arrows.js'
import type { SourceTree } from './source-tree.js'

/** A small sound repository; cases add one file to it or replace one. */
const SOUND: Readonly<Record<string, readonly string[]>> = {
  'src/errors.ts': ['export const e = 1'],
  'src/model/index.ts': ["export * from './fact.js'"],
  'src/model/fact.ts': ['export const fact = 1'],
  'src/config/index.ts': ["export { load } from './load.js'"],
  'src/config/load.ts': ["import { e } from '../errors.js'", 'export const load = e'],
  'src/codecs/codec.ts': ['export interface Codec {}'],
  'src/codecs/a/index.ts': ["import { inner } from './inner.js'", 'export const a = inner'],
  'src/codecs/a/inner.ts': ['export const inner = 1'],
  'src/codecs/a/codec.ts': ["import type { Codec } from '../codec.js'", "import { a } from './index.js'"],
  'src/codecs/b/codec.ts': ["import type { Codec } from '../codec.js'"],
  'src/transports/transport.ts': ["import type { e } from '../errors.js'"],
  'src/transports/nats/index.ts': ["import type {} from '../transport.js'"],
  'src/mapping/run.ts': [
    "import { load } from '../config/index.js'",
    "import type { Codec } from '../codecs/codec.js'",
  ],
  'src/gateway/join.ts': [
    'import {',
    '  one,',
    "} from '../codecs/a/codec.js'",
    "import '../transports/nats/index.js'",
    "import '../mapping/run.js'",
  ],
  'src/main.ts': ['import process from "node:process"'],
  'test/a.test.ts': ["import { inner } from '../src/codecs/a/inner.js'"],
}

function treeWith(file: string, lines: readonly string[]): SourceTree {
  const entries = Object.entries({ ...SOUND, [file]: lines })
  return new Map(entries.map(([path, source]) => [path, source.join('\n')]))
}

const faultsWith = (file: string, lines: readonly string[]) => checkArrows(treeWith(file, lines)).map(formatArrowFault)

test('a sound tree has no faults', () => expect(faultsWith('src/errors.ts', [])).toEqual([]))

const sound = [
  {
    name: 'an import named in a comment',
    lines: ["// import x from '../gateway/join.js'", " * import '../gateway/join.js'"],
  },
  { name: 'an import named in a text', lines: ['const text = "import \'../gateway/join.js\'"'] },
  { name: 'a package', lines: ["import protobuf from 'protobufjs'"] },
]
for (const { name, lines } of sound) {
  test(`${name} is no fault`, () => expect(faultsWith('src/codecs/a/extra.ts', lines)).toEqual([]))
}

interface Wrong {
  readonly name: string
  readonly file: string
  readonly lines: readonly string[]
  readonly also?: Readonly<Record<string, readonly string[]>>
  readonly want: readonly string[]
}

const wrong: readonly Wrong[] = [
  {
    name: 'a codec that imports the gateway',
    file: 'src/codecs/b/codec.ts',
    lines: ['', "import { join } from '../../gateway/join.js'"],
    want: ['src/codecs/b/codec.ts:2: `codecs/b` imports `gateway`; it may import errors, codecs'],
  },
  {
    name: 'a codec that imports its sibling',
    file: 'src/codecs/b/codec.ts',
    lines: ["export * from '../a/index.js'"],
    want: ['src/codecs/b/codec.ts:1: `codecs/b` imports `codecs/a`; it may import errors, codecs'],
  },
  {
    name: 'what codecs share importing one of them',
    file: 'src/codecs/codec.ts',
    lines: ["import { a } from './a/index.js'"],
    want: ['src/codecs/codec.ts:1: `codecs` imports `codecs/a`; it may import errors'],
  },
  {
    name: 'a transport that imports a codec over several lines',
    file: 'src/transports/nats/send.ts',
    lines: ['import type {', '  A,', '  B,', "} from '../../codecs/codec.js'"],
    want: ['src/transports/nats/send.ts:1: `transports/nats` imports `codecs`; it may import errors, transports'],
  },
  {
    name: 'a mapping that imports a codec by a dynamic import',
    file: 'src/mapping/run.ts',
    lines: ['export async function run() {', "  await import('../codecs/b/codec.js')", '}'],
    want: ['src/mapping/run.ts:2: `mapping` imports `codecs/b`; it may import errors, model, config, codecs'],
  },
  {
    name: 'a type taken by import()',
    file: 'src/config/load.ts',
    lines: ["export type T = import('../mapping/run.js').T"],
    want: [
      'src/config/index.ts:1: import cycle src/config/index.ts → src/config/load.ts → src/mapping/run.ts → src/config/index.ts; move',
      'src/config/load.ts:1: `config` imports `mapping`; it may import errors, model',
    ],
  },
  {
    name: 'a model that imports something',
    file: 'src/model/fact.ts',
    lines: ["import { e } from '../errors.js'", "import { join } from 'node:path'"],
    want: [
      'src/model/fact.ts:1: `model` imports `errors`; it imports nothing outside itself',
      'src/model/fact.ts:2: `model` imports node:path; it depends on nothing',
    ],
  },
  {
    name: 'a source that imports a test',
    file: 'src/main.ts',
    lines: ["import '../test/a.test.js'"],
    want: ['src/main.ts:1: `main` imports test/a.test.js; sources import nothing outside src'],
  },
  {
    name: 'a way round an index',
    file: 'src/gateway/join.ts',
    lines: ["import { load } from '../config/load.js'"],
    want: ['src/gateway/join.ts:1: src/config/load.ts is inside src/config; import src/config/index.ts'],
  },
  {
    name: 'a way round the index of an inner folder',
    file: 'src/codecs/a/index.ts',
    lines: ["import { x } from './inner/x.js'"],
    also: { 'src/codecs/a/inner/index.ts': [], 'src/codecs/a/inner/x.ts': [] },
    want: [
      'src/codecs/a/index.ts:1: src/codecs/a/inner/x.ts is inside src/codecs/a/inner; import src/codecs/a/inner/index.ts',
    ],
  },
  {
    name: 'a folder that the layout does not know',
    file: 'src/helpers/text.ts',
    lines: ["import { join } from 'node:path'"],
    want: ['src/helpers/text.ts:1: `helpers` is no unit of the layout; name it in test/lint/layers.ts'],
  },
  {
    name: 'a file that imports itself',
    file: 'test/a.test.ts',
    lines: ["import './a.test.js'"],
    want: ['test/a.test.ts:1: import cycle test/a.test.ts → test/a.test.ts; move'],
  },
]
for (const { name, file, lines, want, also = {} } of wrong) {
  test(`${name} is a fault`, () => {
    const tree = new Map(treeWith(file, lines))
    for (const [path, source] of Object.entries(also)) tree.set(path, source.join('\n'))
    const faults = checkArrows(tree).map(formatArrowFault)
    expect(faults.map((fault) => fault.replace(/; move .*/, '; move')).sort()).toEqual([...want].sort())
  })
}
