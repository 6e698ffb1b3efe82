import { describeValue, type Fault } from '../fault.js'
import { isPlainObject } from '../json-value.js'

const NONE: readonly Fault[] = []

/**
 * Which of the members are missing. Left out, null and the empty string are the same here, for
 * the real client leaves out every zero value. Params that are no object are another check's fault.
 */
export function missingMembers(params: unknown, required: readonly string[]): readonly Fault[] {
  if (!isPlainObject(params)) return NONE
  let faults: Fault[] | undefined
  for (const name of required) {
    const value = params[name]
    if (value !== undefined && value !== null && value !== '') continue
    faults ??= []
    faults.push({ path: `params.${name}`, want: 'a value, for it is required', got: describeValue(value) })
  }
  return faults ?? NONE
}
