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
  'iso',
  'list',
] as const

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const wirePath = z.string().min(1)
const modelPath = z.string().min(1)

const test = z
  .union([
    scalar,
    z.strictObject({
      not: z.union([scalar, z.array(scalar).min(1)]).describe('holds for every other value, and where there is none'),
    }),
    z.strictObject({ any: z.array(scalar).min(1).describe('holds for each of these') }),
    z.strictObject({ present: z.boolean().describe('true: there must be a value; false: there must be none') }),
    z.strictObject({ starts: z.string().min(1).describe('holds for texts that begin so') }),
  ])
  .describe(
    'a value, `{not: value}`, `{any: [values]}`, `{starts: text}` or `{present: true|false}`; on the model side null means absent',
  )

const tests = z.record(z.string().min(1), test)
const lossy = z.string().min(1).describe('what gets lost here, and why; allows a rule to break a law')

const form = z
  .string()
  .min(1)
  .describe(
    'text with model fields in it: `{field}` as long as it can be, `{field~}` as short, `{field|table}` through a table, `{field#}` a short name made of it',
  )

const substitute = z
  .union([
    modelPath,
    z
      .strictObject({
        is: modelPath.optional().describe('the model field that is written'),
        table: z.string().optional().describe('a table its value goes through'),
        form: form.optional(),
        value: scalar.optional().describe('a fixed wire value'),
        when: tests.optional().describe('only for facts whose model fields pass'),
      })
      .describe('what may be written in place of a model field that is absent'),
  ])
  .describe('a model field, or one of `is`, `form` and `value`, perhaps with `when`')

const fieldObject = z
  .strictObject({
    is: modelPath.optional().describe('the model field; `ext.NAME` keeps a value the model has no word for'),
    form: z
      .union([form, z.array(form).min(1)])
      .optional()
      .describe('the text that several model fields make together, both ways; of several forms the first that fits'),
    if: tests.optional().describe('wire fields, from where those of this map begin: read as `is` only where they pass'),
    else: modelPath.optional().describe('with `if`: the field that takes the value otherwise, and is written first'),
    or: z
      .array(substitute)
      .min(1)
      .optional()
      .describe('written when the model field is absent, the first there is; never read'),
    as: z.enum(CONVERSIONS).optional().describe('conversion; without it the type of the model field decides'),
    table: z.string().optional().describe('a table of this file: wire value to model value, used both ways'),
    default: z
      .union([scalar, z.tuple([])])
      .optional()
      .describe('wire value that says "not told": read as absent, written when absent'),
    const: scalar.optional().describe('fixed wire value: written always, anything else found is kept aside'),
    required: z.boolean().optional().describe('a message without it is a dead letter'),
    when: tests.optional().describe('written only for facts whose model fields pass'),
    derive: z
      .string()
      .min(1)
      .optional()
      .describe('CEL over `fact`: written when the model field is absent; never read'),
    lossy: lossy
      .optional()
      .describe(
        'what gets lost here, and why; allows a rule to break a law; alone: what is found there goes no further',
      ),
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

const lookup = z
  .strictObject({
    of: modelPath.describe('the model field whose value is looked up'),
    table: z.string().describe('the table: what is looked up, and what it stands for'),
  })
  .describe('a value that a table has for another model field')

const inference = z
  .strictObject({
    wire: tests.optional().describe('wire fields: tested when reading, never written'),
    model: z.record(modelPath, scalar).optional().describe('model fields that are set where nothing else told them'),
    lookup: z
      .record(modelPath, lookup)
      .optional()
      .describe('model fields that are set by a table where nothing else told them'),
  })
  .describe('what the wire shows of the model without saying it')

const infer = z
  .record(z.string().min(1), inference.nullable())
  .describe('what can be told from the wire without being said, by a name of your choice; all that fit are taken')

const use = z
  .record(z.string().min(1), z.string().nullable())
  .describe(
    'parts of this file that belong here: each with the wire path it begins at, an empty text for this very map',
  )

const part = z
  .strictObject({
    description: z.string().optional().describe('what the part is, for people'),
    fields: fields.optional(),
    cases: cases.optional(),
    infer: infer.optional(),
  })
  .describe('fields that several messages have in common')

const carry = z
  .strictObject({
    at: wirePath.describe('a map of text values in the message'),
    prefix: z.string().min(1).describe('begins every key of ours there'),
  })
  .describe('where everything rides that this dialect has no word for')

const rest = modelPath.describe('map field of the model that takes the other keys of the `carry` map')

const element = z
  .strictObject({
    class: z.string().optional().describe('Ruby class of the element, when it is an object'),
    use: use.optional(),
    fields: fields.optional(),
    cases: cases.optional(),
    infer: infer.optional(),
    mustSay: mustSay.optional(),
    carry: carry.optional(),
    rest: rest.optional(),
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
    unknown: z.boolean().optional().describe('takes what no other message does; counted as an unknown word'),
    match: z
      .record(
        wirePath,
        z.union([
          scalar,
          z.strictObject({ any: z.array(scalar).min(1).describe('one of these; a field or the cases say which') }),
          z.strictObject({ present: z.boolean().describe('whether there must be a value') }),
        ]),
      )
      .optional()
      .describe('wire values that tell this message from others; also `{any: [values]}` and `{present: true|false}`'),
    class: z.string().optional().describe('Ruby class of the message, when it is an object'),
    root: wirePath.optional().describe('where in the body the fields begin'),
    fact: z.enum(KINDS).describe('kind of the facts it tells'),
    set: z
      .record(modelPath, scalar)
      .optional()
      .describe('model fields this message fixes, null for absent; others are not written with it'),
    use: use.optional(),
    fields: fields.optional(),
    cases: cases.optional(),
    infer: infer.optional(),
    mustSay: mustSay.optional(),
    each: wirePath.optional().describe('the list whose elements are the facts'),
    item: element.optional(),
    columns: z
      .record(z.string().min(1), columns)
      .optional()
      .describe('parallel lists, by a name of your choice for each set'),
    words: words.optional(),
    full: z
      .enum(['channels', 'terminals', 'numbers', 'bridges', 'devices'])
      .optional()
      .describe('what it is a full picture of, when `full` is true'),
    carry: carry.optional(),
    rest: rest.optional(),
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
        name: z.enum(['ruby-yaml', 'json-rpc', 'stasis']).describe('name of the codec'),
        classes: z.array(z.string()).optional().describe('Ruby classes let in; every other is refused'),
      })
      .describe('the wire format'),
    settings: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .describe('values a site may change without touching rules, as `{settings.name}` in addresses'),
    tables: z.record(z.string(), table).optional().describe('wire value to model value, used both ways'),
    parts: z
      .record(z.string().min(1), part.nullable())
      .optional()
      .describe('fields that several messages have in common, by a name of your choice'),
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
export type SubstituteRule = z.output<typeof substitute>
export type InferRules = z.output<typeof infer>
export type CarryRules = z.output<typeof carry>
export type PartRule = z.output<typeof part>
export type MatchRule = NonNullable<MessageRule['match']>
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
