import { describe, expect, test } from 'vitest'
import { ENVELOPE, EVENTS, type Members, OBJECTS } from '../../../src/codecs/stasis/events.js'
import {
  BRIDGE_SHAPES,
  CHANNEL_SHAPES,
  DEVICE_STATE_SHAPES,
  ENDPOINT_SHAPES,
  EVENT_HEAD,
  EVENT_PARTS,
  EVENT_SHAPES,
  PLAYBACK_SHAPES,
  RECORDING_SHAPES,
  type Shapes,
} from '../../../src/transports/ari-server/models.js'

/** Objects that events consist of, as our own ARI server describes them. */
const SERVED: Shapes = {
  ...CHANNEL_SHAPES,
  ...BRIDGE_SHAPES,
  ...ENDPOINT_SHAPES,
  ...DEVICE_STATE_SHAPES,
  ...PLAYBACK_SHAPES,
  ...RECORDING_SHAPES,
  ...EVENT_PARTS,
}

/** Stand in answers to requests only. */
const IN_ANSWERS = ['RTPstat', 'StoredRecording']
/** Is an object of our own pictures, which no application is sent. */
const IN_PICTURES = ['KnownEndpoint']
/** Is in the api-docs of Asterisk, which never sends it. */
const NEVER_SENT = ['MissingParams']

/** What the api-docs call the types of the codec. */
const WORDS: Readonly<Record<string, string>> = { text: 'string', time: 'Date', bool: 'boolean' }

/** A type of the codec in the notation of the api-docs, which have two words for whole numbers. */
function inDocs(type: string): string {
  const [, name, list, mark] = /^(\w+)(\[\])?(\?)?$/.exec(type)!
  const word = WORDS[name!] ?? name!
  return `${list === undefined ? word : `List[${word}]`}${mark ?? ''}`
}

const told = (members: Members) => Object.fromEntries(Object.entries(members).map(([key, type]) => [key, inDocs(type)]))
const served = (shape: Members) =>
  Object.fromEntries(Object.entries(shape).map(([key, type]) => [key, type.replace(/^long\b/, 'int')]))
const without = (names: readonly string[], of: readonly string[]) => names.filter((each) => !of.includes(each)).sort()

describe('the codec and our ARI server know the same', () => {
  test('events', () => {
    const ofAsterisk = Object.keys(EVENTS).filter((type) => !type.startsWith('Patchbay'))
    expect(without(ofAsterisk, NEVER_SENT)).toEqual(Object.keys(EVENT_SHAPES).sort())
  })

  test.each(Object.keys(EVENT_SHAPES))('members of %s', (type) => {
    expect(told(EVENTS[type]!)).toEqual(served(EVENT_SHAPES[type]!))
  })

  test('members of every event', () => {
    expect(told(ENVELOPE)).toEqual(served(EVENT_HEAD))
  })

  test('objects', () => {
    expect(without(Object.keys(OBJECTS), IN_PICTURES)).toEqual(without(Object.keys(SERVED), IN_ANSWERS))
  })

  test.each(without(Object.keys(OBJECTS), IN_PICTURES))('members of a %s', (name) => {
    expect(told(OBJECTS[name]!)).toEqual(served(SERVED[name]!))
  })
})
