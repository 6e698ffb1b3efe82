import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { standardValues, valueAt } from '../tools/chart/values-docs.js'
import { CHART, readValues, refusal, render } from './chart.js'

const manual = readFileSync(`${CHART}/README.md`, 'utf8')
const [written = '', table = ''] = manual.split('<!-- values -->')

test('its links lead somewhere', () => {
  const links = [...manual.matchAll(/\]\(([^)#\s]*)(?:#[^)]*)?\)/g)].map(([, link]) => link!)
  expect(links.length).toBeGreaterThan(5)
  expect(links.filter((link) => !existsSync(resolve(CHART, link)))).toEqual([])
})

const examples = [...written.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text]) => text!)

test.each(examples.filter((text) => !text.includes('{{')))('its values are taken: %s', (text) => {
  expect(refusal(readValues(text))).toBe('taken')
})

test('its examples are found', () => {
  expect(examples).toHaveLength(5)
})

test('values that it names are there', () => {
  const top = Object.keys(standardValues())
  const paths = [...written.matchAll(/`([a-z][A-Za-z]+(?:\.[A-Za-z]+)+)(?:: [^`]*)?`/g)].map(([, path]) =>
    path!.split('.'),
  )
  const ours = paths.filter(([first]) => top.includes(first!) && first !== 'config')
  expect(ours.length).toBeGreaterThan(5)
  expect(ours.filter((path) => valueAt(standardValues(), path) === undefined)).toEqual([])
})

const graceOf = (values: object) =>
  valueAt(render(values).get('Deployment/patchbay'), ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'])

test('the guides tell the same length of a stop that the chart allows', () => {
  const guide = readFileSync('docs/operating.md', 'utf8').replaceAll('\n', ' ')
  const [, alone, shared] = /a stop takes up to (\d+) s, with `state: jetstream` up to (\d+) s/.exec(guide) ?? []
  expect([alone, shared].map(Number)).toEqual([
    graceOf({ preStopSeconds: 0 }),
    graceOf({ preStopSeconds: 0, config: { state: 'jetstream' } }),
  ])
  const timeouts = [...`${guide}${readFileSync('README.md', 'utf8')}`.matchAll(/--stop-timeout (\d+)/g)]
  expect(timeouts.map(([, seconds]) => seconds)).toEqual([shared, shared])
})

test('the table has every value', () => {
  const rows = table.split('\n').filter((line) => line.startsWith('| `'))
  expect(rows.length).toBeGreaterThan(50)
})
