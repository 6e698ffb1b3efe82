import { writeFileSync } from 'node:fs'
import { generateModel } from './generate-model.js'

writeFileSync('src/model/generated.ts', generateModel())
