import { isAbsolute, relative } from 'node:path'
import { SHIPPED_MAPPINGS, shippedMapping } from '../config/index.js'
import { dialectOf } from '../mapping/load.js'
import { WrongUse } from './io.js'

/** The shipped mapping files, named from the working folder where they are below it. */
export function shippedPaths(): string[] {
  return SHIPPED_MAPPINGS.map((name) => {
    const path = shippedMapping(name)
    const near = relative(process.cwd(), path)
    return near.startsWith('..') || isAbsolute(near) ? path : near
  })
}

/** Mapping files given by hand, and the shipped ones of every other dialect. @throws WrongUse for two of one dialect */
export function withShipped(given: readonly string[]): string[] {
  const dialects = given.map(dialectOf)
  const twin = dialects.findIndex((name, i) => name !== undefined && dialects.indexOf(name) < i)
  if (twin >= 0) throw new WrongUse(`two mapping files for the dialect ${dialects[twin]}`)
  const others = SHIPPED_MAPPINGS.filter((name) => !dialects.includes(name.replace(/\.yaml$/, '')))
  return [...given, ...others.map(shippedMapping)]
}
