import { expect, test } from 'vitest'
import { fakeSite, refused, settled } from './fake-site.js'

const CREATE = 'POST channels/create'

/** A dial whose first leg Asterisk is about to make. */
async function dialling(...uuids: readonly string[]) {
  let make: () => void = () => undefined
  let isMade = false
  const site = fakeSite((request) => {
    if (request === CREATE && !isMade)
      return new Promise<void>((resolve) => {
        make = () => {
          isMade = true
          resolve()
        }
      })
    return request.startsWith('DELETE') && !isMade ? refused(404) : undefined
  })
  const call_params = uuids.map((uuid) => ({ uuid, dial_string: `user/${uuid}` }))
  const dialled = await site.ask('Dial', { destination: { call_params } })
  expect(dialled).toMatchObject({ code: 202, uuid: uuids[0] })
  await settled()
  expect(site.asked).toEqual([CREATE])
  return { ...site, make: () => make() }
}

test.each(['Hangup', 'Stop'])('a leg that Asterisk has not made yet is ended by %s', async (method) => {
  const { ask, asked, late, make, told } = await dialling('leg')
  expect(await ask(method, { uuid: 'leg' })).toMatchObject({ code: 200 })
  make()
  await expect.poll(() => late.map(([, , result]) => result)).toMatchObject([{ cause: 'ORIGINATOR_CANCEL' }])
  expect(asked.at(-1)).toBe('DELETE channels/leg?reason_code=487')
  expect(asked.filter((each) => each.endsWith('/dial'))).toEqual([])
  expect(told.at(-1)).toMatchObject({ id: 'leg', change: 'hangup' })
})

test('the next leg is dialled instead', async () => {
  const { ask, asked, make, node } = await dialling('leg', 'next')
  await ask('Hangup', { uuid: 'leg' })
  make()
  await expect.poll(() => asked.at(-1), { timeout: 1000 }).toBe(CREATE)
  node.stop()
})

test('a channel that nobody dials and Asterisk does not have is not there', async () => {
  const site = fakeSite(() => refused(404))
  site.there('a')
  expect(await site.ask('Hangup', { uuid: 'a' })).toMatchObject({ code: 400 })
})
