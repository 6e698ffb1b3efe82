import { describe, expect, test } from 'vitest'
import { type Config, parseConfig } from '../../src/config/index.js'
import { deadLetterPlace } from '../../src/gateway/links.js'
import { systemNames } from '../../src/gateway/systems.js'

function linksOf(...links: string[]): Config['links'] {
  const pbx = links.map(
    (more, at) => `  pbx${at}: { type: ari, dialect: stasis, url: "http://h${at}", username: u, password: p${more} }\n`,
  )
  const text = `group: g
links:
${pbx.join('')}  bus: { type: nats, dialect: xcc, servers: ["nats://h"], deadLetterSubject: dead }
  legacy: { type: amqp, dialect: voice-events, url: "amqp://u:p@h", deadLetter: { exchange: lost } }
routes: [{ from: pbx0, to: bus }]
`
  const { config } = parseConfig(text, 'p.yaml', {})
  if (config === undefined) throw new Error('the configuration is faulty')
  return config.links
}

const system = (name: string) => ({ name, entityId: '02:00:00:00:00:01', startupTime: '' })
const QUALIFIED = ', qualifyIds: true'

describe('two Asterisks of one system name', () => {
  test('are refused: the second is told which the first is, and what to do', () => {
    const refuse = systemNames(linksOf('', ''))
    expect(refuse('pbx0', system('ast'))).toBeUndefined()
    expect(refuse('pbx1', system('ast'))).toMatch(/`links.pbx1` has the system name "ast".*`links.pbx0`.*qualifyIds/)
  })

  test.each([
    { name: 'the first', links: [QUALIFIED, ''] },
    { name: 'the second', links: ['', QUALIFIED] },
    { name: 'both', links: [QUALIFIED, QUALIFIED] },
  ])('are taken where $name of them qualifies its ids', ({ links }) => {
    const refuse = systemNames(linksOf(...links))
    expect(refuse('pbx0', system(''))).toBeUndefined()
    expect(refuse('pbx1', system(''))).toBeUndefined()
  })

  test('are told apart once one of them was given another name', () => {
    const refuse = systemNames(linksOf('', ''))
    refuse('pbx0', system('ast'))
    expect(refuse('pbx1', system('ast'))).toBeDefined()
    expect(refuse('pbx0', system('other'))).toBeUndefined()
    expect(refuse('pbx1', system('ast'))).toBeUndefined()
  })
})

test('one that was refused does not stand in the way of the one that was there', () => {
  const refuse = systemNames(linksOf('', ''))
  refuse('pbx0', system('ast'))
  expect(refuse('pbx1', system('ast'))).toBeDefined()
  expect(refuse('pbx0', system('ast'))).toBeUndefined()
})

test('an Asterisk that comes back is no second one', () => {
  const refuse = systemNames(linksOf(''))
  refuse('pbx0', system('ast'))
  expect(refuse('pbx0', system('ast'))).toBeUndefined()
})

test('dead letters of an Asterisk lie with the first broker, or with the one that was named', () => {
  const links = linksOf('', ', deadLetters: legacy')
  expect(deadLetterPlace('pbx0', links)).toEqual({ link: 'bus', address: { subject: 'dead', deliver: 'core' } })
  expect(deadLetterPlace('pbx1', links)).toEqual({ link: 'legacy', address: { exchange: 'lost', key: '' } })
  expect(deadLetterPlace('bus', links)?.link).toBe('bus')
})
