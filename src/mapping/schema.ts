import { z } from 'zod'
import { FACT_SHAPES, type FactKind } from '../model/index.js'

const KINDS = Object.keys(FACT_SHAPES) as [FactKind, ...FactKind[]]

/** How a wire value and a model value turn into each other. See converters.ts. */
export const CONVERSIONS = [
  'str',
  'int',
  'bool',
  'int-text',
  'bool-text',
  'epoch-s',
  'epoch-ms',
  'seconds',
  'seconds-text',
  'ms-text',
  'stamp',
  'samples',
] as const

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const wirePath = z.string().min(1)
const modelPath = z.string().min(1)

const test = z
  .union([
    scalar,
    z.strictObject({ not: scalar.describe('holds for every other value, and where there is none') }),
    z.strictObject({ any: z.array(scalar).min(1).describe('holds for each of these') }),
    z.strictObject({ present: z.boolean().describe('true: there must be a value; false: there must be none') }),
  ])
  .describe(
    'a value, `{not: value}`, `{any: [values]}` or `{present: true|false}`; on the model side null means absent',
  )

const tests = z.record(z.string().min(1), test)
const lossy = z.string().min(1).describe('what gets lost here, and why; allows a rule to break a law')

const fieldObject = z
  .strictObject({
    is: modelPath.optional().describe('the model field; `ext.NAME` keeps a value the model has no word for'),
    as: z.enum(CONVERSIONS).optional().describe('conversion; without it the type of the model field decides'),
    table: z.string().optional().describe('a table of this file: wire value to model value, used both ways'),
    default: scalar.optional().describe('wire value that says "not told": read as absent, written when absent'),
    const: scalar.optional().describe('fixed wire value: written always, anything else found is kept aside'),
    required: z.boolean().optional().describe('a message without it is a dead letter'),
    when: tests.optional().describe('written only for facts whose model fields pass'),
    derive: z
      .string()
      .min(1)
      .optional()
      .describe('CEL over `fact`: written when the model field is absent; never read'),
    lossy: lossy.optional(),
  })
  .describe('one wire field')

const field = z.union([modelPath, fieldObject])
const fields = z
  .record(wirePath, field.nullable())
  .describe('wire path to model path, both ways; `cases` for a field that the cases write')

const caseObject = z
  .strictObject({
    wire: tests.describe('wire fields: tested when reading; plain values are written'),
    model: tests.describe('model fields: set when reading; tested when writing'),
    also: z.record(wirePath, scalar).optional().describe('wire fields that are written too but never tested'),
    implies: z
      .record(modelPath, scalar)
      .optional()
      .describe('model fields that are set too when reading but never tested'),
    only: z.enum(['in', 'out']).optional().describe('reads only, or writes only'),
    lossy: lossy.optional(),
  })
  .describe('several wire fields together mean several model fields together; the first that fits wins, both ways')

const mustSay = z.boolean().describe('a fact that none of the cases says is not written at all')

const cases = z
  .record(z.string().min(1), caseObject.nullable())
  .describe('cases, by a name of your choice; the first that fits is taken')

const element = z
  .strictObject({
    class: z.string().optional().describe('Ruby class of the element, when it is an object'),
    fields: fields.optional(),
    cases: cases.optional(),
    mustSay: mustSay.optional(),
  })
  .describe('the map that stands for one fact')

const columns = z
  .strictObject({
    set: z.record(modelPath, scalar).optional().describe('model fields these columns fix'),
    fields: fields.describe('parallel lists: wire list to model field; the first one has an entry for every fact'),
  })
  .describe('lists read side by side, one fact per row')

const words = z
  .strictObject({
    table: z.string().describe('the words, as a table'),
    is: modelPath.describe('model field the word stands for'),
    args: z.array(modelPath).optional().describe('model fields of the arguments, in order'),
    bare: z.enum(['text', 'scalar', 'list', 'map']).default('text').describe('form written without arguments'),
    withArgs: z.enum(['list', 'map']).default('list').describe('form written with arguments'),
  })
  .describe('a message that is one word, perhaps with arguments: bare, `[word, arg]` or `{msg: word, args: [arg]}`')

const message = z
  .strictObject({
    description: z.string().optional().describe('what the message is, for people'),
    address: z
      .record(z.string(), z.string())
      .describe('where it travels, as two-way templates: `{settings.x}`, `{modelField}`, `[optional part]`'),
    anywhere: z.boolean().optional().describe('taken by its content on any address'),
    match: z.record(wirePath, scalar).optional().describe('wire values that tell this message from others'),
    class: z.string().optional().describe('Ruby class of the message, when it is an object'),
    root: wirePath.optional().describe('where in the body the fields begin'),
    fact: z.enum(KINDS).describe('kind of the facts it tells'),
    set: z
      .record(modelPath, scalar)
      .optional()
      .describe('model fields this message fixes; others are not written with it'),
    fields: fields.optional(),
    cases: cases.optional(),
    mustSay: mustSay.optional(),
    each: wirePath.optional().describe('the list whose elements are the facts'),
    item: element.optional(),
    columns: z
      .record(z.string().min(1), columns)
      .optional()
      .describe('parallel lists, by a name of your choice for each set'),
    words: words.optional(),
    full: z
      .enum(['channels', 'terminals', 'numbers'])
      .optional()
      .describe('what it is a full picture of, when `full` is true'),
    carry: z
      .strictObject({
        at: wirePath.describe('a map of text values in the message'),
        prefix: z.string().min(1).describe('begins every key of ours there'),
      })
      .optional()
      .describe('where everything rides that this dialect has no word for'),
    rest: modelPath.optional().describe('map field of the model that takes the other keys of the `carry` map'),
  })
  .describe('one message of the dialect')

const row = z.tuple([scalar, scalar])
const table = z.union([z.record(z.string(), scalar.nullable()), z.array(row)])

/** A mapping file. The one description of its form: validation, types and the JSON Schema come from here. */
export const mappingSchema = z
  .strictObject({
    mapping: z.literal('v1').describe('version of this language'),
    extends: z
      .string()
      .optional()
      .describe(
        'a mapping file whose entries this one changes: relative to this one, or `patchbay/NAME` for a shipped one',
      ),
    dialect: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_-]*$/, 'want letters, digits, `-` and `_`, a letter first')
      .describe('name of the dialect'),
    description: z.string().optional().describe('what the dialect is, for people'),
    codec: z
      .strictObject({
        name: z.enum(['ruby-yaml', 'json-rpc']).describe('name of the codec'),
        classes: z.array(z.string()).optional().describe('Ruby classes let in; every other is refused'),
      })
      .describe('the wire format'),
    settings: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .describe('values a site may change without touching rules, as `{settings.name}` in addresses'),
    tables: z.record(z.string(), table).optional().describe('wire value to model value, used both ways'),
    messages: z
      .record(z.string().min(1), message.nullable())
      .describe('the messages, by a name of your choice; the first that fits is taken'),
  })
  .describe('How one dialect maps to the neutral model, both ways')

/** A mapping file as loaded: bases merged in, removed entries gone. */
export type MappingFile = z.output<typeof mappingSchema>
export type MessageRule = NonNullable<MappingFile['messages'][string]>
export type FieldRule = z.output<typeof fieldObject>
export type CaseRule = z.output<typeof caseObject>
export type FieldRules = z.output<typeof fields>
export type CaseRules = z.output<typeof cases>
export type ElementRule = z.output<typeof element>
export type WordsRule = z.output<typeof words>
export type Test = z.output<typeof test>
export type Scalar = z.output<typeof scalar>
export type Conversion = (typeof CONVERSIONS)[number]
export type TableRule = z.output<typeof table>

/** Values of `settings:` given from outside, by name. */
export type SettingValues = Readonly<Record<string, string | number | boolean>>

/**
 * JSON Schema (draft 2020-12) of mapping files, for editors. A file that extends another may leave
 * out whatever the other one has, so below the top nothing is required; `patchbay check` judges the whole.
 */
export function mappingJsonSchema(): Record<string, unknown> {
  const { required, ...schema } = z.toJSONSchema(mappingSchema, { io: 'input', override: withoutRequired })
  return { title: 'Patchbay mapping', ...schema, anyOf: [{ required: ['extends'] }, { required: required ?? [] }] }
}

function withoutRequired({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: { required?: string[] } }): void {
  if (zodSchema !== mappingSchema) delete jsonSchema.required
}
