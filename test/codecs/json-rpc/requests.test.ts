import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { calledMethod, checkRequest, checkResult, faultText, xnodeMethods } from '../../../src/codecs/json-rpc/index.js'
import { dictionary, fixtureLines, messageOf, messageType, runs } from './made.js'

interface Sample {
  readonly id?: string
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
}
const samples = fixtureLines<Sample>('samples.jsonl')

describe('documented requests and results', () => {
  for (const { method, params } of samples) {
    if (method === undefined || method.startsWith('Event.')) continue
    test(`${method} has no fault`, () => expect(checkRequest(method, params)).toEqual([]))
  }
  const resultOf = (method: string, id: string) => {
    const result = samples.find((sample) => sample.id === id && sample.result !== undefined)?.result
    test(`the result of ${method} passes`, () => {
      expect(result).toBeDefined()
      checkResult(method, result)
    })
  }
  resultOf('XNode.Dial', '7')
  resultOf('XNode.JStatus', '3')
  resultOf('XNode.NativeJSAPI', '3')
  resultOf('XCtrl.Dialplan', 'c-1001')
})

describe('faults of a request', () => {
  const cases: { name: string; method: string; params: unknown; faults: string[] }[] = [
    { name: 'none', method: 'XNode.Hangup', params: { uuid: 'c', cause: 'USER_BUSY' }, faults: [] },
    {
      name: 'none: an unknown member, and null for nothing',
      method: 'XNode.Stop',
      params: { uuid: 'c', new: 1, ctrl_uuid: null },
      faults: [],
    },
    { name: 'none: a flag by number', method: 'XNode.Hangup', params: { uuid: 'c', flag: 2 }, faults: [] },
    { name: 'none: a flag by name', method: 'XNode.Hangup', params: { uuid: 'c', flag: 'BOTH' }, faults: [] },
    { name: 'none: no params where nothing is required', method: 'XNode.Register', params: undefined, faults: [] },
    { name: 'none: a method beside the service', method: 'XNode.CtrlStartUp', params: { ctrl_uuid: 'a' }, faults: [] },
    {
      name: 'a flag that is none',
      method: 'XNode.Hangup',
      params: { uuid: 'c', flag: 'ALL' },
      faults: ['params.flag: want one of 0 (SELF), 1 (PEER), 2 (BOTH), got the string "ALL"'],
    },
    {
      name: 'a flag named like something every object has',
      method: 'XNode.Hangup',
      params: { uuid: 'c', flag: 'constructor' },
      faults: ['params.flag: want one of 0 (SELF), 1 (PEER), 2 (BOTH), got the string "constructor"'],
    },
    {
      name: 'a missing channel',
      method: 'XNode.Answer',
      params: {},
      faults: ['params.uuid: want a value, for it is required, got nothing'],
    },
    {
      name: 'an empty channel and a number as text, both told',
      method: 'XNode.ReadDTMF',
      params: { uuid: '', timeout: '5000' },
      faults: [
        'params.timeout: want an unsigned 32-bit whole number, got the string "5000"',
        'params.uuid: want a value, for it is required, got the string ""',
      ],
    },
    {
      name: 'a value of a map deep inside',
      method: 'XNode.Dial',
      params: { destination: { call_params: [{ params: { leg_timeout: 20 } }] } },
      faults: [
        'params.destination.call_params[0].params.leg_timeout: want a string without lone surrogates, got the number 20',
      ],
    },
    {
      name: 'params that are a list',
      method: 'XNode.Stop',
      params: [],
      faults: ['params: want an object, got a list of 0'],
    },
  ]
  for (const { name, method, params, faults } of cases) {
    test(name, () => expect(checkRequest(method, params).map(faultText)).toEqual(faults))
  }

  for (const method of ['XNode.Nothing', 'XNode.toString', 'Play', '', 'XNode.Channel']) {
    test(`an unknown method: ${JSON.stringify(method)}`, () =>
      expect(() => checkRequest(method, {})).toThrow(expect.objectContaining({ code: 'codec.method' })))
  }
})

describe('results the caller could not decode', () => {
  const cases = [
    {
      name: 'a code as text',
      method: 'XNode.Play',
      result: { code: '200', message: 'OK' },
      says: 'result.code: want a signed 32-bit whole number, got the string "200"',
    },
    {
      name: 'a code with a fraction',
      method: 'XNode.Play',
      result: { code: 200.5, message: 'OK' },
      says: 'result.code: want',
    },
    { name: 'text', method: 'XNode.Play', result: 'OK', says: 'result: want an object, got the string "OK"' },
    {
      name: 'no code',
      method: 'XNode.Play',
      result: { message: 'OK' },
      says: 'result.code: want a value, for it is required',
    },
    {
      name: 'no message',
      method: 'XNode.Play',
      result: { code: 200 },
      says: 'result.message: want a value, for it is required',
    },
    {
      name: 'a misspelt member',
      method: 'XNode.GetState',
      result: { code: 200, message: 'OK', anwsered: true },
      says: 'result.anwsered: want no such field',
    },
    {
      name: 'a map with a number',
      method: 'XNode.GetVar',
      result: { code: 200, message: 'OK', data: { a: 1 } },
      says: 'result.data.a: want a string',
    },
  ]
  for (const { name, method, result, says } of cases) {
    test(name, () =>
      expect(() => checkResult(method, result)).toThrow(
        expect.objectContaining({
          code: 'codec.field',
          message: expect.stringContaining(`${method} ${says}`) as string,
        }),
      ),
    )
  }

  const passing = [
    {
      name: 'channel data as an object',
      method: 'XNode.GetChannelData',
      result: { code: 200, message: 'OK', data: { a: '1' } },
    },
    {
      name: 'channel data as text',
      method: 'XNode.GetChannelData',
      result: { code: 200, message: 'OK', data: '<x/>' },
    },
    {
      name: 'a uuid the definition does not list',
      method: 'XNode.Record',
      result: { code: 200, message: 'OK', uuid: 'c' },
    },
    {
      name: 'a cause of a failed bridge',
      method: 'XNode.Bridge',
      result: { code: 486, message: 'busy', cause: 'USER_BUSY' },
    },
    {
      name: 'a list of rooms',
      method: 'XNode.ConferenceList',
      result: { code: 200, message: 'OK', data: [{ conference_name: '3000', variables: { a: [1] } }] },
    },
    { name: 'anything, for a method without a known response', method: 'XCtrl.FetchXML', result: '<document/>' },
  ]
  for (const { name, method, result } of passing) test(`passes: ${name}`, () => checkResult(method, result))
})

describe('the method that is meant', () => {
  const native = (command: string, data?: unknown) => ({ data: { command, data } })
  const cases = [
    { params: native('status', {}), want: 'XNode.JStatus' },
    { params: native('conferenceInfo', { conferenceName: '3000' }), want: 'XNode.ConferenceInfo' },
    { params: native('conferenceInfo', { domain: 'x' }), want: 'XNode.ConferenceList' },
    { params: native('conferenceInfo'), want: 'XNode.ConferenceList' },
    { params: native('sofia.status'), want: 'XNode.NativeJSAPI' },
    { params: [], want: 'XNode.NativeJSAPI' },
  ]
  for (const { params, want } of cases) {
    test(`${JSON.stringify(params)} means ${want}`, () => expect(calledMethod('XNode.NativeJSAPI', params)).toBe(want))
  }
  test('other methods mean themselves', () => expect(calledMethod('XNode.Play', native('status'))).toBe('XNode.Play'))
})

describe('made messages', () => {
  for (const [method, { request, response }] of xnodeMethods()) {
    test(`${method}: a request its definition allows has no fault but what is required`, () =>
      fc.assert(
        fc.property(messageOf(messageType(request)), (params) => {
          expect(checkRequest(method, params).filter(({ want }) => !want.includes('required'))).toEqual([])
        }),
        runs(25),
      ))
    if (response === undefined) continue
    test(`${method}: a result its definition allows passes`, () =>
      fc.assert(
        fc.property(messageOf(messageType(response), { required: ['code', 'message'] }), (result) => {
          checkResult(method, result)
        }),
        runs(25),
      ))
  }

  test('any JSON as params gives faults, never a crash', () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...xnodeMethods().keys()),
        fc.oneof(fc.anything(), dictionary(fc.anything())),
        (method, params) => {
          expect(Array.isArray(checkRequest(method, params))).toBe(true)
        },
      ),
      runs(500),
    ))
})
