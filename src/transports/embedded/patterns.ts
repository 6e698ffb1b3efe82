/** Whether a routing key fits the key of a topic binding: `*` is one word, `#` any number, also none. */
export function topicFits(pattern: string, key: string): boolean {
  return wordsFit(pattern.split('.'), key === '' ? [] : key.split('.'))
}

function wordsFit([first, ...rest]: readonly string[], words: readonly string[]): boolean {
  if (first === undefined) return words.length === 0
  if (first === '#') return words.some((_, at) => wordsFit(rest, words.slice(at))) || wordsFit(rest, [])
  if (first === '' && rest.length === 0) return words.length === 0
  return words.length > 0 && (first === '*' || first === words[0]) && wordsFit(rest, words.slice(1))
}

/** Whether a subject fits that of a subscription: `*` is one part, `>` at the end one or more. */
export function subjectFits(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.')
  const parts = subject.split('.')
  const open = wanted.at(-1) === '>'
  if (open ? parts.length < wanted.length : parts.length !== wanted.length) return false
  return wanted.every((part, at) => part === '*' || part === parts[at] || (open && at === wanted.length - 1))
}
