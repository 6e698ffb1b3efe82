/**
 * Holds recordings of an Asterisk's events to what the tests hold ours to: `npx tsx test/tools/ari-recordings.ts PATH…`,
 * files or folders of JSON lines. Every event must be known and come back the same.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { formatFault } from '../../src/config/index.js'
import { openDialects } from '../../src/gateway/dialects.js'
import { lossOf, recordedFrames } from '../mapping/ari-frames.js'

const files = process.argv.slice(2).flatMap((path) => {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .filter((name) => /\.jsonl(\.gz)?$/.test(name))
    .map((name) => join(path, name))
})
if (files.length === 0) throw new Error('name files or folders of recordings')
const opened = openDialects(['mappings/stasis.yaml'])
if ('faults' in opened) throw new Error(opened.faults.map(formatFault).join('\n'))
const stasis = opened.dialects.get('stasis')
if (stasis === undefined) throw new Error('mappings/stasis.yaml is of another dialect')

let events = 0
let lost = 0
for (const file of files) {
  for (const frame of recordedFrames(file)) {
    events += 1
    const loss = lossOf(frame, stasis)
    if (loss === undefined) continue
    lost += 1
    console.log(`${file}: ${frame.text}\n  ${loss}`)
  }
}
console.log(`${events} events of ${files.length} files, ${lost} of them lost something`)
if (lost > 0 || events === 0) process.exitCode = 1
