import type { NatsOptions } from '../../src/cli/private-brokers/index.js'

/** How `rabbitmqctl` reaches a broker of ours, also from another process than the one that started it. */
export type RabbitMqControl =
  | { readonly kind: 'program'; readonly program: string; readonly env: Readonly<Record<string, string>> }
  | { readonly kind: 'container'; readonly id: string }

/** A RabbitMQ started for tests; see `PrivateRabbitMq` for the members. `pid` is undefined inside a container. */
export interface TestRabbitMq {
  readonly url: string
  readonly port: number
  readonly tlsUrl: string | undefined
  readonly pid: number | undefined
  readonly control: RabbitMqControl
  ctl(...args: string[]): Promise<string>
  kill9(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

/** A NATS server started for tests. `pid` is undefined inside a container. */
export interface TestNats {
  readonly url: string
  readonly port: number
  readonly pid: number | undefined
  kill9(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

/** What a NATS server of the tests is started with. `mount`: a folder that `extraConfig` names, e.g. of certificates. */
export interface TestNatsOptions extends NatsOptions {
  readonly mount?: string
}

/** Three NATS servers with JetStream. Their ports and data survive a restart; `stop` ends all of them. */
export interface TestNatsCluster {
  readonly nodes: readonly TestNats[]
  readonly urls: readonly string[]
  /** The server that leads a stream (a bucket's is `KV_NAME`), once there is one. */
  leaderOf(stream: string): Promise<TestNats>
  /** Waits until every server takes part again, some seconds after it was restarted. */
  untilWhole(): Promise<void>
  stop(): Promise<void>
}

/** Three RabbitMQ nodes that form a cluster. Their ports and data survive a restart; `stop` ends all of them. */
export interface TestRabbitMqCluster {
  readonly nodes: readonly TestRabbitMq[]
  /** With user, password and no vhost. */
  readonly urls: readonly string[]
  /** The node that leads a quorum queue, by default in the vhost `/`, once there is one; a second or two. */
  leaderOf(queue: string, vhost?: string): Promise<TestRabbitMq>
  stop(): Promise<void>
}
