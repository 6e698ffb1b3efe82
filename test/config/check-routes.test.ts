import { expect, test } from 'vitest'
import { unguardedRoutes } from '../../src/config/check-routes.js'

const route = (from: string, to: string) => ({ from, to })
const cases = [
  {
    name: 'a circle over links with headers is guarded',
    routes: [route('a', 'b'), route('b', 'a')],
    bare: [],
    want: [],
  },
  {
    name: 'the leg to a link without headers is not',
    routes: [route('a', 'b'), route('b', 'a')],
    bare: ['b'],
    want: ['a>b'],
  },
  { name: 'no way back, no loop', routes: [route('a', 'b'), route('c', 'b')], bare: ['b'], want: [] },
  {
    name: 'a longer circle',
    routes: [route('a', 'b'), route('b', 'c'), route('c', 'a'), route('c', 'd')],
    bare: ['c', 'd'],
    want: ['b>c'],
  },
]
for (const { name, routes, bare, want } of cases) {
  test(`unguarded routes: ${name}`, () => {
    const found = unguardedRoutes(routes, (link) => !bare.includes(link))
    expect(found.map(({ from, to }) => `${from}>${to}`)).toEqual(want)
  })
}
