export * from './fact.js'
export * from './generated.js'
