import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config/index.js'

const text = readFileSync('SECURITY.md', 'utf8')

/** Each test file that is named, with the titles that stand behind it. */
const CLAIMS = [...text.matchAll(/`(test\/[\w/-]+\.test\.ts)`((?:,? "(?:[^"]+)")*)/g)].map(
  ([, file = '', titles = '']) => ({
    file,
    titles: [...titles.matchAll(/"([^"]+)"/g)].map(([, title]) => title!),
  }),
)

test.each(CLAIMS)('what SECURITY.md claims by $file is tested there: $titles', ({ file, titles }) => {
  expect(existsSync(file), file).toBe(true)
  const source = readFileSync(file, 'utf8')
  expect(titles.length).toBeGreaterThan(0)
  expect(titles.filter((title) => !source.includes(title))).toEqual([])
})

test('SECURITY.md tells the limits that hold by default', () => {
  const { config } = parseConfig(
    `group: g
links:
  legacy: { type: amqp, dialect: voice-events, url: 'amqp://u:p@h' }
  bus: { type: nats, dialect: xcc, servers: ['nats://h'] }
  pbx: { type: ari, dialect: stasis, url: 'http://h', username: u, password: p }
  apps: { type: ari-server, dialect: stasis, users: [{ name: u, password: p }] }
routes: [{ from: legacy, to: bus }, { from: pbx, to: bus }, { from: legacy, to: apps }]
`,
    'patchbay.yaml',
    {},
  )
  const places: object[] = [config!, ...Object.values(config!.links)]
  const held = (path: string) =>
    places.flatMap(
      (place) =>
        path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], place) ?? [],
    )
  const told = [...text.matchAll(/`([\w.]+)` = (\d+)/g)].map(([, path, value]) => ({
    path: path!,
    value: Number(value),
  }))
  expect(told.length).toBeGreaterThan(8)
  for (const { path, value } of told) expect(new Set(held(path)), path).toEqual(new Set([value]))
})

test('SECURITY.md has a row for each limit of a body that can be configured', () => {
  const { config } = parseConfig(
    `group: g\nlinks: { a: { type: nats, dialect: xcc, servers: ['h'] }, b: { type: nats, dialect: voice-events, servers: ['h'] } }\nroutes: [{ from: a, to: b }]\n`,
    'p.yaml',
    {},
  )
  for (const key of Object.keys(config!.limits)) expect(text).toContain(`\`limits.${key}\``)
})
