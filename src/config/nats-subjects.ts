/** What is wrong with a NATS subject or pattern, in words that continue "a subject…"; undefined when nothing is. */
export function subjectMistake(subject: string, wildcards: 'allowed' | 'refused'): string | undefined {
  if (subject === '') return 'must not be empty'
  if (/\s/.test(subject)) return 'must not hold white space'
  const tokens = subject.split('.')
  if (tokens.includes('')) return 'must not hold an empty token: no dot at an end, no two dots in a row'
  if (tokens.slice(0, -1).includes('>')) return 'may hold `>` only as its last token'
  const isWild = tokens.some((token) => token === '*' || token === '>')
  if (isWild && wildcards === 'refused') return 'to publish on must not hold the wildcards `*` and `>`'
  const mixed = tokens.find((token) => token.length > 1 && /[*>]/.test(token))
  return mixed === undefined ? undefined : `may hold a wildcard only as a whole token, not in \`${mixed}\``
}

/** True when at least one subject matches both patterns. */
export function subjectsOverlap(a: string, b: string): boolean {
  const left = a.split('.')
  const right = b.split('.')
  for (let i = 0; i < left.length || i < right.length; i++) {
    const one = left[i]
    const other = right[i]
    if (one === undefined || other === undefined) return false
    if (one === '>' || other === '>') return true
    if (one !== '*' && other !== '*' && one !== other) return false
  }
  return true
}

/** True when every subject that matches `subject` (which may hold wildcards) also matches `pattern`. */
export function subjectCovers(pattern: string, subject: string): boolean {
  const wide = pattern.split('.')
  const narrow = subject.split('.')
  for (let i = 0; i < wide.length || i < narrow.length; i++) {
    const one = wide[i]
    const other = narrow[i]
    if (one === undefined || other === undefined) return false
    if (one === '>') return true
    if (other === '>' || (one !== '*' && one !== other)) return false
  }
  return true
}

/**
 * Request subjects of XCC, the tenants' ones too: a stream over one of them would send its own
 * acknowledgement as the answer to the request.
 */
export const REQUEST_SUBJECTS = [
  'cn.xswitch.node',
  'cn.xswitch.node.>',
  'cn.xswitch.request',
  '*.cn.xswitch.node',
  '*.cn.xswitch.node.>',
  '*.cn.xswitch.request',
] as const
