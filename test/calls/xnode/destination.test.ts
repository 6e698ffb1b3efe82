import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DialRoom, planOf } from '../../../src/calls/xnode/destination.js'
import { loadSteering } from '../../../src/calls/xnode/steering-file.js'

const loaded = loadSteering('mappings/steering/asterisk.yaml')
if ('faults' in loaded) throw new Error('the shipped tables have faults')
const room: DialRoom = {
  tables: loaded.tables,
  calls: { find: async (uuid) => (uuid === 'there' ? { id: 'there' } : undefined) },
}

async function planned(destination: unknown) {
  const read = await planOf(room, destination)
  if ('refused' in read) throw new Error(read.refused.message)
  return read.plan
}

const legOf = async (leg: object, more: object = {}) => (await planned({ call_params: [leg], ...more })).legs[0]

describe('a leg', () => {
  test('is dialled by the table, with what was said of it', async () => {
    const leg = {
      uuid: 'a-1',
      dial_string: 'sofia/gateway/trunk/5550',
      cid_name: 'Desk',
      cid_number: '9000',
      timeout: 20,
      max_duration: 90,
      params: { colour: 'red' },
      channel_params: ['colour'],
    }
    const more = { global_params: { colour: 'blue', size: 'XL' }, channel_params: ['size', 'colour'] }
    expect(await legOf(leg, more)).toEqual({
      uuid: 'a-1',
      endpoint: 'PJSIP/5550@trunk',
      caller: { number: '9000', name: 'Desk' },
      dialled: '5550',
      timeoutS: 20,
      maxDurationS: 90,
      ignoresEarlyMedia: false,
      variables: { colour: 'red', size: 'XL' },
      subscribed: ['size', 'colour'],
    })
  })

  test('gets a uuid of its own where none is given', async () => {
    const { uuid } = await legOf({ dial_string: 'user/1000' })
    expect(uuid).toMatch(/^[0-9a-f-]{36}$/)
  })

  test.each<readonly [string, object, object]>([
    [
      'the caller from variables',
      { params: { caller_id_number: '7', caller_id_name: 'N' } },
      { caller: { number: '7', name: 'N' } },
    ],
    ['no caller at all', {}, { caller: {} }],
    ['the number that it says', { dest_number: '12' }, { dialled: '12' }],
    ['the shorter time of two', { timeout: 30, params: { leg_timeout: '5' } }, { timeoutS: 5 }],
    ['a minute where no time is said', {}, { timeoutS: 60 }],
    ['only its answer', { params: { ignore_early_media: 'true' } }, { ignoresEarlyMedia: true }],
  ])('has %s', async (_, given, wanted) => {
    expect(await legOf({ dial_string: 'user/1000', ...given })).toMatchObject(wanted)
  })
})

test('legs are dialled one after another, unless all are to ring', async () => {
  const call_params = [{ dial_string: 'user/1' }, { dial_string: 'user/2' }]
  expect((await planned({ call_params })).ringAll).toBe(false)
  const { ringAll, legs } = await planned({ call_params, ringall: true })
  expect([ringAll, legs.map(({ endpoint }) => endpoint)]).toEqual([true, ['PJSIP/1', 'PJSIP/2']])
})

describe('is refused with the field that is wrong:', () => {
  const leg = (more: object) => ({ call_params: [{ dial_string: 'user/1', ...more }] })
  test.each<readonly [field: string, destination: unknown]>([
    ['destination.call_params:', undefined],
    ['destination.call_params:', {}],
    ['destination.call_params:', { call_params: Array.from({ length: 101 }, () => ({ dial_string: 'user/1' })) }],
    ['destination.call_params[0].dial_string:', { call_params: [{}] }],
    ['destination.call_params[0].dial_string:', leg({ dial_string: 'h323/1' })],
    ['destination.call_params[0].dial_string:', leg({ dial_string: 'user/1&PJSIP/2' })],
    ['destination.call_params[0].dial_string:', leg({ dial_string: 'user/1,2' })],
    ['destination.call_params[0].uuid:', leg({ uuid: 'a b' })],
    ['destination.call_params[0].uuid:', leg({ uuid: 'there' })],
    ['destination.call_params[0].timeout:', leg({ timeout: 3601 })],
    ['destination.call_params[0].timeout:', leg({ params: { leg_timeout: '1.5' } })],
    ['destination.call_params[0].params.FILE(x):', leg({ params: { 'FILE(x)': '1' } })],
    ['destination.call_params[0].params.n:', leg({ params: { n: 7 } })],
    ['destination.call_params[1].uuid:', { call_params: ['x', 'x'].map((uuid) => ({ dial_string: 'user/1', uuid })) }],
  ])('%s', async (field, destination) => {
    const read = await planOf(room, destination)
    expect(read).toMatchObject({ refused: { code: 400 } })
    expect('refused' in read && read.refused.message.startsWith(field)).toBe(true)
  })
})

test('no dial string makes Asterisk dial two, or gives it options', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 30 }), async (text) => {
      for (const dial_string of [`user/${text}`, `PJSIP/${text}`, text]) {
        const read = await planOf(room, { call_params: [{ dial_string }] })
        if ('plan' in read) expect(read.plan.legs[0].endpoint).not.toMatch(/[,&|\s]/)
      }
    }),
  )
})
