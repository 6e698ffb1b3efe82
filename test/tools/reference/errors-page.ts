import { FAULT_CODES } from '../../../src/config/index.js'
import { ERROR_CODES, ERROR_NOTES, type ErrorCode } from '../../../src/errors.js'
import { code, page, table } from './page.js'

const ABOUT = `Errors of the running gateway stand in logs (\`err.code\`), in dead letters (header \`patchbay-error-code\`) and in the label \`code\` of
\`gateway_dead_letter_messages_total\`. Faults of files are what \`patchbay check\` prints.`

const ERRORS = `## Errors

The fate is what becomes of the message at hand: \`reject\` makes it a dead letter, \`retry\` keeps it at its source for another try.
With \`either\` the place that raises the error knows whether another try can help.`

const FAULTS = `## Faults of configuration and mapping files

A line of \`patchbay check\` is \`file:line:column: code: what is wrong; what would be right\`. The end of the line says what to do.`

/** `docs/reference/error-codes.md`: every code of errors, and of faults in files. */
export function errorsPage(): string {
  const codes = Object.entries(ERROR_CODES) as [ErrorCode, string][] // keys of the table itself
  const errors = codes.map(([name, meaning]) => {
    const { fate, action } = ERROR_NOTES[name]
    return [code(name), fate, meaning, action]
  })
  const faults = Object.entries(FAULT_CODES).map(([name, meaning]) => [code(name), meaning])
  return page('Error codes', ABOUT, [
    ERRORS,
    table(['Code', 'Fate', 'Meaning', 'What to do'], errors),
    FAULTS,
    table(['Code', 'Meaning'], faults),
  ])
}
