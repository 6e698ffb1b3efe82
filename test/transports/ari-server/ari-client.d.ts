/** The part of the npm ari-client that the tests use. */
declare module 'ari-client' {
  export interface Instance {
    readonly id: string
    readonly name: string
    readonly state: string
    on(event: string, listener: (event: unknown, instance: Instance) => void): void
    [operation: string]: unknown
  }
  export type Operation = (parameters?: Record<string, unknown>) => Promise<unknown>
  export interface Client {
    on(event: string, listener: (event: Record<string, unknown>, instance: Instance) => void): void
    start(apps: string | string[], subscribeAll?: boolean): Promise<void>
    stop(): void
    Channel(): Instance
    [resource: string]: unknown
  }
  export function connect(url: string, user: string, password: string): Promise<Client>
}
