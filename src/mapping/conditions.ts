import type { Scalar, Test } from './schema.js'

/** Tests of several fields, by field. */
type Tests = Readonly<Record<string, Test>>

/** A compiled test of one value. On the model side null means absent, on the wire side it means null. */
export type Check = (value: unknown) => boolean

/** Compiles a test. `absentIsNull`: undefined passes where null is asked for (the model side). */
export function compileTest(test: Test, absentIsNull: boolean): Check {
  if (test === null) return absentIsNull ? (value) => value === undefined || value === null : (value) => value === null
  if (typeof test !== 'object') return (value) => value === test
  if ('not' in test) {
    const inner = compileTest(Array.isArray(test.not) ? { any: test.not } : test.not, absentIsNull)
    return (value) => !inner(value)
  }
  if ('starts' in test) {
    const { starts } = test
    return (value) => typeof value === 'string' && value.startsWith(starts)
  }
  if ('any' in test) {
    const allowed = new Set<unknown>(test.any)
    if (absentIsNull && allowed.has(null)) allowed.add(undefined)
    return (value) => allowed.has(value)
  }
  return test.present
    ? (value) => value !== undefined && value !== null
    : (value) => value === undefined || value === null
}

/** The one value a test asks for, or undefined when it is a condition. */
export function exactValue(test: Test): Scalar | undefined {
  return typeof test !== 'object' || test === null ? test : undefined
}

/** Whether everything the later tests accept is accepted by the earlier ones. */
export function covers(earlier: Tests, later: Tests, absentIsNull: boolean): boolean {
  return Object.entries(earlier).every(([key, test]) => {
    const given = later[key]
    if (given === undefined) return false
    const values = valuesOf(given)
    if (values === undefined) return JSON.stringify(given) === JSON.stringify(test)
    const check = compileTest(test, absentIsNull)
    return values.every((value) => check(value))
  })
}

/** The values a test accepts, where they can be told. */
function valuesOf(test: Test): readonly Scalar[] | undefined {
  const exact = exactValue(test)
  if (exact !== undefined) return [exact]
  return typeof test === 'object' && test !== null && 'any' in test ? test.any : undefined
}
