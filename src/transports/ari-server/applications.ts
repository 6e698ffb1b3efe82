import { type Application, makeApplication, type Receiver } from './application.js'

/** All applications that live, connected or not. */
export interface Applications {
  /** In the order of their names. */
  list(): Application[]
  /** In any order. */
  all(): Iterable<Application>
  get(name: string): Application | undefined
  /**
   * Gives applications to a socket, and makes those that do not live yet; `subscribeAll` counts for these only.
   * Answers whom it took which application from. Undefined, and nothing changed, when there are too many.
   */
  connect(names: readonly string[], subscribeAll: boolean, receiver: Receiver): Replaced[] | undefined
  /** A socket is gone: its applications end unless something keeps them alive. */
  disconnect(receiver: Receiver): void
  /** Ends an application that is not connected and that nothing keeps alive any longer. */
  tidy(application: Application): void
}

/** A socket that lost an application to a newer one. */
export interface Replaced {
  readonly name: string
  readonly receiver: Receiver
}

/** Applications may outlive their sockets, so their number has to be bounded on its own. */
const MOST_APPLICATIONS = 10_000

/** @param populate puts what is in it into an application that begins to live. */
export function makeApplications(populate: (application: Application) => void): Applications {
  const applications = new Map<string, Application>()

  function tidy({ name, receiver, subscriptions }: Application): void {
    if (receiver === undefined && !subscriptions.keepsAlive()) applications.delete(name)
  }

  function begin(name: string, subscribeAll: boolean): Application {
    const application = makeApplication(name, subscribeAll)
    applications.set(name, application)
    populate(application)
    return application
  }

  return {
    list: () => [...applications.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    all: () => applications.values(),
    get: (name) => applications.get(name),
    connect(names, subscribeAll, receiver) {
      const fresh = names.filter((name) => !applications.has(name))
      if (applications.size + fresh.length > MOST_APPLICATIONS) return undefined
      const replaced: Replaced[] = []
      for (const name of new Set(names)) {
        const application = applications.get(name) ?? begin(name, subscribeAll)
        if (application.receiver !== undefined) replaced.push({ name, receiver: application.receiver })
        application.receiver = receiver
      }
      return replaced
    },
    disconnect(receiver) {
      for (const application of applications.values()) {
        if (application.receiver !== receiver) continue
        application.receiver = undefined
        tidy(application)
      }
    },
    tidy,
  }
}
