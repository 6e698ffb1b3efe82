import type { Trees } from '../codecs/codec.js'
import { GatewayError } from '../errors.js'

/** Places, as indices from the root, that hold one and the same value. */
type Places = number[][]

/** More places than this make a message refuse to be taken apart: each is a path of its own. */
const MAX_PLACES = 10_000

/**
 * Where the shared values of a document stand. Two places of one value are an anchor and its
 * alias on the wire; the model holds values, not identities, so the places are kept beside it.
 * @throws GatewayError mapping.message for a value inside itself
 */
export function sharedPlaces(root: unknown, shared: ReadonlySet<object>, trees: Trees): Places[] {
  const places = new Map<object, Places>()
  const open = new Set<object>()
  let count = 0
  const visit = (value: unknown, path: number[]): void => {
    if (typeof value !== 'object' || value === null) return
    const known = shared.has(value) ? places.get(value) : undefined
    if (open.has(value))
      throw new GatewayError('mapping.message', 'a value contains itself; such a message cannot be translated')
    count += known === undefined ? 0 : 1
    if (count > MAX_PLACES) throw new GatewayError('codec.limit', `more than ${MAX_PLACES} aliases in one message`)
    if (known !== undefined) {
      known.push(path)
      return
    }
    if (shared.has(value)) places.set(value, [path])
    open.add(value)
    for (const [i, child] of childrenOf(value, trees).entries()) visit(child, [...path, i])
    open.delete(value)
  }
  visit(root, [])
  return [...places.values()].filter((each) => each.length > 1)
}

/** Makes the values at each group of places one and the same again, where they are still equal. */
export function shareAgain(root: unknown, groups: readonly Places[], trees: Trees): void {
  for (const [first, ...others] of groups) {
    const original = first === undefined ? undefined : at(root, first, trees)
    if (typeof original !== 'object' || original === null) continue
    for (const path of others) {
      const parent = at(root, path.slice(0, -1), trees)
      const children = childrenOf(parent, trees) as unknown[]
      const index = path.at(-1)!
      if (index < children.length && trees.equal(children[index], original)) children[index] = original
    }
  }
}

function childrenOf(value: unknown, trees: Trees): readonly unknown[] {
  if (Array.isArray(value)) return value
  return trees.isMap(value) ? trees.values(value) : []
}

function at(root: unknown, path: readonly number[], trees: Trees): unknown {
  let value = root
  for (const index of path) value = childrenOf(value, trees)[index]
  return value
}
