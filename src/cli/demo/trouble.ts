/** Something that keeps the demo from going on; the text is for whoever runs it. */
export class Trouble extends Error {}

/** The promise, or {@link Trouble} with the text that `what` gives when it takes longer. */
export async function within<T>(promise: Promise<T>, timeoutMs: number, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Trouble(what())), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What an error says, the causes beneath it included. */
export function saidBy(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : saidBy(error.cause)
  return error.message.includes(cause) ? error.message : `${error.message}: ${cause}`
}
