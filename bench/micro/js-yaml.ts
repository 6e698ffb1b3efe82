import * as v5 from 'js-yaml'
import * as v4 from 'js-yaml-4'

/** A js-yaml with the message classes of the legacy daemons defined. */
export interface JsYaml {
  load(text: string): unknown
  dump(value: unknown): string
}

/** The classes that stand behind the tags, as somebody who uses js-yaml would write them. */
export class ChannelStates {
  [field: string]: unknown
}
class TerminalDialno {
  [field: string]: unknown
}
class NamespacedTerminalDialno {
  [field: string]: unknown
}

const CLASSES = new Map<string, new () => Record<string, unknown>>([
  ['!ruby/object:Channel_states', ChannelStates],
  ['!ruby/object:TerminalDialno', TerminalDialno],
  ['!ruby/object:Terminal::TerminalDialno', NamespacedTerminalDialno],
])

function makeVersion4(): JsYaml {
  const types = [...CLASSES].map(
    ([tag, Class]) =>
      new v4.Type(tag, {
        kind: 'mapping',
        construct: (data) => Object.assign(new Class(), data),
        instanceOf: Class,
        represent: (object) => ({ ...object }),
      }),
  )
  const options = { schema: v4.DEFAULT_SCHEMA.extend(types) }
  return { load: (text) => v4.load(text, options), dump: (value) => v4.dump(value, options) }
}

function makeVersion5(): JsYaml {
  const tags = [...CLASSES].map(([tag, Class]) =>
    v5.defineMappingTag<Record<string, unknown>>(tag, {
      create: () => new Class(),
      addPair(object, key, value) {
        object[String(key)] = value
        return ''
      },
      has: (object, key) => Object.hasOwn(object, String(key)),
      keys: (object) => Object.keys(object),
      get: (object, key) => object[String(key)],
      identify: (data) => data instanceof Class,
      represent: (object: object) => new Map(Object.entries(object)),
    }),
  )
  const reading = { schema: v5.CORE_SCHEMA.withTags(tags) }
  const writing = { schema: v5.DUMP_SCHEMA.withTags(tags) }
  return { load: (text) => v5.load(text, reading), dump: (value) => v5.dump(value, writing) }
}

/** Both versions by the names they are printed with. */
export const JS_YAML: Readonly<Record<'js-yaml-4' | 'js-yaml-5', () => JsYaml>> = {
  'js-yaml-4': makeVersion4,
  'js-yaml-5': makeVersion5,
}
