import { endpointOfChannel } from '../concerns.js'
import { type JsonObject, objectOf, textOf } from '../json.js'
import { json, type Reply, refusal } from '../reply.js'
import type { Shadow } from '../shadow.js'

/** Answers one variable of a channel, as far as its snapshot and the events tell it. */
export function answerVariable(shadow: Shadow, channelId: string, name: string): Reply {
  return answerWith(shadow, channelId, [name], ([value]) => ({ value }))
}

/** Answers several. */
export function answerVariables(shadow: Shadow, channelId: string, names: readonly string[]): Reply {
  return answerWith(shadow, channelId, names, (values) => ({
    variables: Object.fromEntries(names.map((name, at) => [name, values[at]])),
  }))
}

function answerWith(
  shadow: Shadow,
  channelId: string,
  names: readonly string[],
  form: (values: readonly string[]) => unknown,
): Reply {
  if (names.every((name) => name === '')) return refusal(400, 'Variable name is required')
  const channel = shadow.channel(channelId)
  if (channel === undefined) return refusal(404, 'Provided channel was not found')
  const values: string[] = []
  for (const name of names) {
    const isFunction = name.includes('(')
    const value = isFunction ? functionValue(channel, name) : variableValue(shadow, channel, name)
    if (value === undefined) {
      return isFunction
        ? refusal(500, 'Unable to read provided function')
        : refusal(404, 'Provided variable was not found')
    }
    values.push(value)
  }
  return json(form(values))
}

function variableValue(shadow: Shadow, channel: JsonObject, name: string): string | undefined {
  const vars = objectOf(channel, 'channelvars') ?? {}
  if (Object.hasOwn(vars, name)) return textOf(vars, name)
  return (
    shadow.variable(textOf(channel, 'id'), name) ??
    (Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name]!(channel) : undefined)
  )
}

type Reading = (channel: JsonObject) => string

const field =
  (key: string): Reading =>
  (channel) =>
    textOf(channel, key)

const within =
  (object: string, key: string): Reading =>
  (channel) => {
    const value = objectOf(channel, object)?.[key]
    return typeof value === 'number' ? String(value) : textOf(objectOf(channel, object), key)
  }

const everything =
  (object: string): Reading =>
  (channel) =>
    `"${within(object, 'name')(channel)}" <${within(object, 'number')(channel)}>`

const BUILT_IN: Readonly<Record<string, Reading>> = {
  UNIQUEID: field('id'),
  CHANNEL: field('name'),
  CONTEXT: within('dialplan', 'context'),
  EXTEN: within('dialplan', 'exten'),
  PRIORITY: within('dialplan', 'priority'),
}

const party = (object: string): Readonly<Record<string, Reading>> => ({
  all: everything(object),
  name: within(object, 'name'),
  num: within(object, 'number'),
  number: within(object, 'number'),
})

const FUNCTIONS: Readonly<Record<string, Readonly<Record<string, Reading>>>> = {
  CALLERID: party('caller'),
  CONNECTEDLINE: party('connected'),
  CHANNEL: {
    name: field('name'),
    state: field('state'),
    language: field('language'),
    accountcode: field('accountcode'),
    context: within('dialplan', 'context'),
    exten: within('dialplan', 'exten'),
    channeltype: (channel) => textOf(channel, 'name').split('/')[0]!,
    endpoint: (channel) => endpointOfChannel(channel).split('/').slice(1).join('/'),
  },
}

function functionValue(channel: JsonObject, text: string): string | undefined {
  const [, name = '', argument = ''] = /^(\w+)\((.*)\)$/.exec(text) ?? []
  const readings = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]! : {}
  return Object.hasOwn(readings, argument) ? readings[argument]!(channel) : undefined
}
