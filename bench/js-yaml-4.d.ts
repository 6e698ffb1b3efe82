/** The part of js-yaml 4 that the benches use. */
declare module 'js-yaml-4' {
  export interface TypeOptions {
    readonly kind: 'mapping'
    construct(data: Record<string, unknown>): unknown
    instanceOf: new () => object
    represent(object: object): Record<string, unknown>
  }
  export class Type {
    constructor(tag: string, options: TypeOptions)
  }
  export interface Schema {
    extend(types: readonly Type[]): Schema
  }
  export const DEFAULT_SCHEMA: Schema
  export function load(text: string, options?: { schema?: Schema }): unknown
  export function dump(value: unknown, options?: { schema?: Schema }): string
}
