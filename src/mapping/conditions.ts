import type { Scalar, Test } from './schema.js'

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
