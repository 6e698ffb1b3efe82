const PREFIX = 'patchbay-ear-'

/** Id of a channel of our own: it is no call, and where it takes part in talks with people a peer to nobody. */
export const earId = (name: string): string => PREFIX + name

/** Whether a channel is one of our own: whoever is alone with it in a bridge talks to nobody. */
export const isEar = (id: string): boolean => id.startsWith(PREFIX)
