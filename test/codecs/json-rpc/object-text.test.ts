import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bodyBytes } from '../../../src/codecs/body-bytes.js'
import { eventObjectWriter } from '../../../src/codecs/json-rpc/events.js'
import { ObjectText } from '../../../src/codecs/json-rpc/object-text.js'

const seed = process.env.FC_SEED === undefined ? {} : { seed: Number(process.env.FC_SEED) }

/** The variables of a channel: any names, any texts. */
const startVars = () => new ObjectText(eventObjectWriter('Event.Channel', ['params']))

function startChannel(uuid = 'u'): ObjectText {
  const text = new ObjectText(eventObjectWriter('Event.Channel', []))
  text.put('node_uuid', 'n')
  text.put('uuid', uuid)
  return text
}

test('whatever texts are put in, the JSON holds them in their order', () => {
  const texts = fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), {
    selector: ([name]) => name,
  })
  fc.assert(
    fc.property(texts, (entries) => {
      const vars = startVars()
      for (const [name, text] of entries) vars.put(name, text)
      const read: unknown = JSON.parse(vars.text())
      expect(read).toEqual(Object.fromEntries(entries.map(([name, text]) => [name, text])))
    }),
    { ...seed, numRuns: 500 },
  )
})

const mixtures: { name: string; members: [string, unknown][]; want: string }[] = [
  { name: 'nothing more', members: [], want: '' },
  {
    name: 'a text last',
    members: [
      ['answered', true],
      ['state', 'START'],
    ],
    want: ',"answered":true,"state":"START"',
  },
  {
    name: 'a number last',
    members: [
      ['state', 'START'],
      ['create_epoch', 7],
    ],
    want: ',"state":"START","create_epoch":7',
  },
  {
    name: 'two texts',
    members: [
      ['state', ''],
      ['cause', 'a"b'],
    ],
    want: ',"state":"","cause":"a\\"b"',
  },
  {
    name: 'an empty object between texts',
    members: [
      ['state', 'A'],
      ['params', startVars()],
      ['cause', 'B'],
    ],
    want: ',"state":"A","params":{},"cause":"B"',
  },
  { name: 'a list', members: [['peers', ['a', 'b']]], want: ',"peers":["a","b"]' },
]
for (const { name, members, want } of mixtures) {
  test(`an object is put together with ${name}`, () => {
    const channel = startChannel()
    for (const [key, value] of members) channel.put(key, value)
    expect(channel.text()).toBe(`{"node_uuid":"n","uuid":"u"${want}}`)
  })
}

const refused = [
  { name: 'a surrogate that stands alone', key: 'state', value: 'a\ud800b' },
  { name: 'a number where a text is wanted', key: 'state', value: 1 },
  { name: 'an object where a text is wanted', key: 'state', value: startVars() },
  { name: 'a text where an object is wanted', key: 'params', value: 'x' },
  { name: 'a member that the event does not have', key: 'nonsense', value: 'x' },
]
for (const { name, key, value } of refused) {
  test(`an object refuses ${name}`, () => {
    const put = () => startChannel().put(key, value)
    expect(put).toThrow(expect.objectContaining({ code: 'codec.field', fate: 'reject' }))
  })
}

test('an object with a required text left empty is refused', () => {
  expect(() => startChannel('').text()).toThrow(expect.objectContaining({ code: 'codec.field' }))
})

test('bodies of every length and script keep their bytes while others are written', () => {
  const texts = Array.from({ length: 400 }, (_, i) => ['a', 'é', '世', '😀'][i % 4]!.repeat((i * 37) % 5000))
  const bodies = texts.map(bodyBytes)
  for (const [i, body] of bodies.entries()) expect(Buffer.from(body).toString()).toBe(texts[i])
})
