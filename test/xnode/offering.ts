import { readFileSync } from 'node:fs'
import { shippedMapping } from '../../src/config/index.js'
import type { AriAnswer } from '../harness/index.js'
import type { SteeredSite } from './site.js'

/** An application beside ours. */
export const RIVAL = 'desk'

/**
 * Extensions that offer a call: to both for 20 s, where who claims it is told or not; for half a second, after which the
 * dialplan answers it; for a minute.
 */
export const TOLD = '650'
export const UNTOLD = '651'
export const BRIEF = '652'
export const LONG = '653'

/** What extensions.conf has beside what it has in all tests: what we ship, and the extensions above. */
export const OFFERING = `
${readFileSync(shippedMapping('asterisk/extensions.conf'), 'utf8')}
[numbers](+)
exten => ${TOLD},1,Gosub(patchbay-offered,\${EXTEN},1(20000,^(patchbay|${RIVAL})$))
 same => n,Hangup(41)
exten => ${UNTOLD},1,StasisBroadcast(20000,,\${EXTEN})
 same => n,Hangup(41)
exten => ${BRIEF},1,StasisBroadcast(500)
 same => n,Goto(services,wait-2,1)
exten => ${LONG},1,Gosub(patchbay-offered,\${EXTEN},1(60000,^patchbay))
 same => n,Hangup(41)
`

/** Claims a call for an application, as the application itself would. */
export function claimFor({ asterisk }: SteeredSite, application: string, uuid: string): Promise<AriAnswer> {
  return asterisk.ari('POST', `/events/claim?channelId=${uuid}&application=${application}`)
}
