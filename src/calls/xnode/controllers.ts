/** A name that begins so is a whole subject. */
const COMPLETE_SUBJECT = 'cn.xswitch.'

/** Subjects of the controllers of one bus. */
export interface Controllers {
  /** The name of a controller as it stands in its subject; undefined when no subject can be made of what was given. */
  nameOf(given: unknown): string | undefined
  /** Where a controller hears. */
  subjectOf(controller: string): string
}

/** @param base subject of calls that nobody owns, as it is now; a dot and a controller's name give its own. */
export function controllersBelow(base: () => string): Controllers {
  const prefixNow = () => `${base()}.`
  return {
    nameOf(given) {
      if (typeof given !== 'string') return undefined
      const prefix = prefixNow()
      const name = given.startsWith(prefix) ? given.slice(prefix.length) : given
      // Another complete subject could be heard of, but events are addressed below the subject of calls.
      if (name.startsWith(COMPLETE_SUBJECT)) return undefined
      return /^[^\s.*>]+(\.[^\s.*>]+)*$/.test(name) ? name : undefined
    },
    subjectOf: (controller) => `${prefixNow()}${controller}`,
  }
}
