import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  listenToAri,
  placeCall,
  registerPhone,
  startAsterisk,
  type TestAsterisk,
  takeCall,
  unregisterPhone,
} from './index.js'

let asterisk: TestAsterisk
beforeAll(async () => {
  asterisk = await startAsterisk({ app: 'desk' })
})
afterAll(() => asterisk?.stop())

const nameOf = async (of: TestAsterisk) => (await of.ari('GET', '/asterisk/info?only=config')).body
const stateOf = async (phone: string) => (await asterisk.ari('GET', `/endpoints/PJSIP/${phone}`)).body

test('two stand side by side and tell their own names', async () => {
  const other = await startAsterisk({ systemName: 'other' })
  try {
    expect(await nameOf(other)).toMatchObject({ config: { name: 'other' } })
    expect(await nameOf(asterisk)).toMatchObject({ config: { name: asterisk.systemName } })
    expect(await other.cli('core show channels count')).toContain('0 active channels')
  } finally {
    await other.stop()
  }
})

test('comes back on its ports after kill -9', async () => {
  const { pid, httpPort } = asterisk
  await asterisk.kill()
  await expect(asterisk.ari('GET', '/channels')).rejects.toThrow()
  await asterisk.restart()
  expect(asterisk.httpPort).toBe(httpPort)
  if (pid !== undefined) expect(asterisk.pid).not.toBe(pid)
  expect((await asterisk.ari('GET', '/channels')).body).toEqual([])
})

test('keeps registrations over a restart', async () => {
  await registerPhone(asterisk, '1002')
  await asterisk.restart()
  await vi.waitFor(async () => expect(await stateOf('1002')).toMatchObject({ state: 'online' }))
})

test('a phone registers with its password only, and goes again', async () => {
  await expect(registerPhone(asterisk, '1001', { password: 'wrong' })).rejects.toThrow('401 Unauthorized')
  await registerPhone(asterisk, '1001')
  expect(await stateOf('1001')).toMatchObject({ state: 'online' })
  await unregisterPhone(asterisk, '1001')
  await vi.waitFor(async () => expect(await stateOf('1001')).toMatchObject({ state: 'offline' }))
})

test('a call enters the application, which answers, hears the keys and the hold, and sees it leave', async () => {
  const application = await listenToAri(asterisk)
  const caller = await placeCall(asterisk, {
    to: '600',
    from: '1003',
    steps: ['answered', 'hold', 'unhold', { keys: '7' }, { keys: '8', by: 'media' }, { hangUp: 16 }],
  })
  const start = await application.until('StasisStart')
  const { id } = start.channel as { readonly id: string } // every StasisStart has one
  expect(start).toMatchObject({ args: ['600'], application: 'desk', channel: { caller: { number: '1003' } } })
  expect(id.startsWith(`${asterisk.systemName}-`)).toBe(true)
  expect((await asterisk.ari('POST', `/channels/${id}/answer`)).status).toBe(204)
  await application.until('StasisEnd')
  await caller.done
  const keys = application.events.filter((event) => event.type === 'ChannelDtmfReceived').map((event) => event.digit)
  expect(keys).toEqual(['7', '8'])
  const told = application.events.map((event) => event.type)
  for (const type of ['ChannelHold', 'ChannelUnhold', 'ChannelHangupRequest']) expect(told).toContain(type)
  await application.close()
})

describe('from outside to a phone of the house', () => {
  const cases = [
    { what: 'answered', phone: ['ring', 'progress', 'answer', 'hungUp'], caller: ['ringing', 'answered', 'hangUp'] },
    { what: 'hung up by the phone', phone: ['answer', { pauseMs: 50 }, 'hangUp'], caller: ['answered', 'hungUp'] },
    { what: 'busy', phone: [{ refuse: 486 }], caller: [{ refused: 486 }] },
    { what: 'declined', phone: ['ring', { refuse: 603 }], caller: [{ refused: 403 }] },
    { what: 'given up by the caller', phone: ['ring', 'cancelled'], caller: ['ringing', 'cancel'] },
  ] as const
  test.each(cases)('$what', async ({ phone, caller }) => {
    const called = await takeCall(asterisk, { steps: phone })
    await registerPhone(asterisk, '1004', { contactPort: called.port })
    const calling = await placeCall(asterisk, { to: '1004', steps: caller })
    await Promise.all([called.done, calling.done])
  })
})

test('a caller is sent elsewhere by the phone that it reached', async () => {
  const application = await listenToAri(asterisk)
  const called = await takeCall(asterisk, { steps: ['answer', { pauseMs: 50 }, { transferTo: '600' }, 'hangUp'] })
  const caller = await placeCall(asterisk, { to: `9${called.port}`, steps: ['answered', { pauseMs: 300 }, 'hangUp'] })
  expect(await application.until('StasisStart')).toMatchObject({ channel: { caller: { number: '5550100' } } })
  await Promise.all([called.done, caller.done])
  await application.close()
})

test('a phone that nobody picks up is given up after a while', async () => {
  const hasty = await startAsterisk({ ringSeconds: 1 })
  try {
    const called = await takeCall(hasty, { steps: ['ring', 'cancelled'] })
    const calling = await placeCall(hasty, { to: `9${called.port}`, steps: ['ringing', { refused: 480 }] })
    await Promise.all([called.done, calling.done])
  } finally {
    await hasty.stop()
  }
})

test('a server that cannot start says why', async () => {
  const append = { 'modules.conf': 'require = no_such_module.so\n' }
  await expect(startAsterisk({ append })).rejects.toThrow('no_such_module')
})
