const SECRET_KEYS: ReadonlySet<string> = new Set(['password', 'passphrase', 'token', 'nkeySeed', 'creds', 'key'])
const URL_PASSWORD = /^[a-z]+:\/\/[^:@/]*:(.+)@[^@]*$/

/** The secrets in a configuration as read, passwords in addresses included, so that they can be kept out of what is told. */
export function secretValues(config: object): string[] {
  const found = new Set<string>()

  function walk(value: unknown, key: string): void {
    if (typeof value === 'string') {
      if (SECRET_KEYS.has(key)) found.add(value)
      for (const password of passwordsIn(value)) found.add(password)
    } else if (Array.isArray(value)) for (const item of value) walk(item, key)
    else if (typeof value === 'object' && value !== null)
      for (const [name, item] of Object.entries(value)) walk(item, name)
  }

  walk(config, '')
  return [...found]
}

/** As written, and what it says. */
function passwordsIn(url: string): string[] {
  const written = URL_PASSWORD.exec(url)?.[1]
  if (written === undefined) return []
  try {
    return [written, decodeURIComponent(written)]
  } catch {
    return [written]
  }
}
