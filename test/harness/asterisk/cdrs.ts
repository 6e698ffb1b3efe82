import { INSTANCE_BASE } from './place.js'

/** What Asterisk itself noted of one leg when it ended. */
export interface Cdr {
  readonly channel: string
  /** The application of the dialplan in which it ended: `Stasis` where that had admitted it. */
  readonly lastApplication: string
  readonly disposition: string
}

const FIELDS = ['uniqueid', 'lastapp', 'disposition']

/** Pieces of configuration that make Asterisk write a line of {@link CDR_FILE} for each leg, answered or not, when it ends. */
export const WRITE_CDRS: Readonly<Record<string, string>> = {
  'modules.conf': '\nload = func_cdr.so\nload = res_cdrel_custom.so\nload = cdr_custom.so\n',
  'cdr.conf': '[general]\nenable = yes\nunanswered = yes\ncongestion = yes\nbatch = no\n',
  'cdr_custom.conf': `[mappings]\ncalls.csv => ${FIELDS.map((name) => `\${CDR(${name})}`).join(',')}\n`,
}

/** As the server sees it; it is there once a leg ended. */
export const CDR_FILE = `${INSTANCE_BASE}/log/cdr-custom/calls.csv`

/** Reads what {@link CDR_FILE} holds. */
export function parseCdrs(text: string): Cdr[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const [channel = '', lastApplication = '', disposition = ''] = line.replaceAll('"', '').split(',')
    return { channel, lastApplication, disposition }
  })
}
