import fc from 'fast-check'
import * as jsYaml from 'js-yaml'
import { expect, test } from 'vitest'
import { E, nextEvent, openDocument } from '../../../src/codecs/ruby-yaml/events.js'
import { type RubyValue, stringify } from '../../../src/codecs/ruby-yaml/index.js'
import { anyValue, randomRuns } from './arbitrary.js'

/** One line for each event, so that the streams of two parsers can be compared. */
function ourEvents(text: string): string[] {
  const parse = openDocument(text)
  const lines: string[] = []
  while (parse !== undefined) {
    const { kind, text: value, tag = '', anchor = '' } = nextEvent(parse)
    if (kind === E.documentEnd) break
    const carries = kind === E.scalar || kind === E.alias ? ` ${JSON.stringify(value)}` : ''
    lines.push(`${kind} &${anchor} ${tag}${carries}`)
  }
  return lines
}

function theirEvents(text: string): string[] {
  const lines: string[] = []
  for (const event of jsYaml.parseEvents(text, { maxDepth: 1000 })) {
    if (event.type === jsYaml.EVENT_ID.POP) lines.push(`${E.end} & `)
    else if (event.type !== jsYaml.EVENT_ID.DOCUMENT) lines.push(theirNode(text, event))
  }
  return lines.slice(0, -1) // the last ends the document
}

type Node = jsYaml.ScalarEvent | jsYaml.SequenceEvent | jsYaml.MappingEvent | jsYaml.AliasEvent

function theirNode(text: string, event: Node): string {
  const anchor = event.anchorStart < 0 ? '' : text.slice(event.anchorStart, event.anchorEnd)
  if (event.type === jsYaml.EVENT_ID.ALIAS) return `${E.alias} &  ${JSON.stringify(anchor)}`
  const raw = event.tagStart < 0 ? '' : text.slice(event.tagStart, event.tagEnd)
  const tag = raw === '!' ? '' : raw.replace('!!', 'tag:yaml.org,2002:')
  if (event.type !== jsYaml.EVENT_ID.SCALAR) {
    return `${event.type === jsYaml.EVENT_ID.SEQUENCE ? E.sequence : E.mapping} &${anchor} ${tag}`
  }
  return `${E.scalar} &${anchor} ${tag} ${JSON.stringify(jsYaml.getScalarValue(text, event))}`
}

/** Where YAML 1.1 as libyaml has it and YAML 1.2 part: breaks beyond LF, BOM, and an indent given for a root literal. */
const PARTED = /[\u0085\u2028\u2029\ufeff]|^--- (?:\S+ )?\|\d/

test('on what Psych writes, the events are those of js-yaml', () => {
  const property = fc.property(anyValue, anyValue, (a, b) => {
    const value: RubyValue = [a, [b, a]]
    const text = stringify(value)
    fc.pre(!PARTED.test(text))
    expect(ourEvents(text)).toEqual(theirEvents(text))
  })
  fc.assert(property, randomRuns(1500))
})

const flow = [
  '[a, [b, "c"], {d: e, f: [g]}, \'h\']',
  'a: {b: [c, d], e: f}\ng: "h\n  i"\n',
  '? [a, b]\n: - c\n  - d\n',
  '- &x [a]\n- *x\n- !t {b: c}\n',
  'a: >\n  b\n  c\n\n  d\ne: |+\n  f\n\n',
  '# c\na: b # d\n\nc:\n',
  'a:\n  b:\n  - c\n  -\n  - d: e\n    f:\n',
]
for (const text of flow) {
  test(`${JSON.stringify(text)} gives the events of js-yaml`, () => expect(ourEvents(text)).toEqual(theirEvents(text)))
}
