import type { JsonObject } from './json.js'
import type { Shapes } from './models.js'
import type { Reply } from './reply.js'

/** Methods that ARI knows, in the order in which `Allow` names them. */
export const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const

export type Method = (typeof METHODS)[number]

/** A request that found its operation. */
export interface Call {
  /** Parts of the path by name, decoded. */
  readonly path: Readonly<Record<string, string>>
  /** A parameter from the JSON body, the form or the query; empty when it is not there. */
  param(name: string): string
  /** A parameter that may be repeated, or hold several values with commas between them. */
  list(name: string): string[]
  /** The JSON body; without one, or when it is no object, an empty one. */
  readonly body: JsonObject
}

/** A parameter of an operation, as the api-docs tell it; those of the path need no mention. */
export interface Parameter {
  readonly name: string
  readonly in?: 'query' | 'body'
  /** Default `string`. */
  readonly type?: string
  readonly required?: boolean
  readonly multiple?: boolean
}

/** One operation: what serves requests and what the api-docs say of it come from here. */
export interface Operation {
  readonly method: Method
  /** Path below `/ari`, such as `/channels/{channelId}`. */
  readonly path: string
  /** Name of the operation in clients that are made from the api-docs. */
  readonly nickname: string
  readonly summary: string
  /** Type of the answer: a shape, `List[…]` of one, or `void`. */
  readonly answers: string
  readonly parameters?: readonly Parameter[]
  /** It is meant for WebSockets and no method of plain HTTP. */
  readonly isUpgrade?: boolean
  handle(call: Call): Reply
}

/** The operations under one name, which clients see as one object. */
export interface Resource {
  readonly name: string
  readonly description: string
  readonly shapes: Shapes
  readonly operations: readonly Operation[]
}
