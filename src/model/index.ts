export * from './fact.js'
export { type Draft, FACT_ACCESS, type FieldAccess, type KindAccess } from './fields.js'
export * from './generated.js'
