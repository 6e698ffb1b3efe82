import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** A span as a collector gets it. */
export interface CollectedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  /** Nanoseconds. */
  readonly start: bigint
  readonly end: bigint
  readonly attributes: Readonly<Record<string, unknown>>
  /** 2 is an error. */
  readonly status: { readonly code?: number; readonly message?: string }
}

/** Takes spans by OTLP over HTTP, as JSON. */
export interface OtlpCollector {
  readonly url: string
  readonly spans: readonly CollectedSpan[]
  /** Of the processes that sent them, by key. */
  readonly resources: readonly Readonly<Record<string, unknown>>[]
  connections(): number
  /** How often somebody has sent something. */
  requests(): number
  /** From now on what comes is answered so; what is refused is not kept. */
  answer(status: number): void
  stop(): Promise<void>
}

interface KeyValue {
  readonly key: string
  readonly value: {
    readonly stringValue?: string
    readonly intValue?: number
    readonly boolValue?: boolean
    readonly arrayValue?: { readonly values: readonly KeyValue['value'][] }
  }
}

/** The parts of an ExportTraceServiceRequest that tests look at. */
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<CollectedSpan, 'attributes' | 'start' | 'end'> & {
        readonly attributes: readonly KeyValue[]
        readonly startTimeUnixNano: string
        readonly endTimeUnixNano: string
      })[]
    }[]
  }[]
}

const plain = ({ stringValue, intValue, boolValue, arrayValue }: KeyValue['value']): unknown =>
  arrayValue === undefined ? (stringValue ?? intValue ?? boolValue) : arrayValue.values.map(plain)
const record = (pairs: readonly KeyValue[]) => Object.fromEntries(pairs.map(({ key, value }) => [key, plain(value)]))

/** Starts one on a free port. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: CollectedSpan[] = []
  const resources: Record<string, unknown>[] = []
  let connections = 0
  let requests = 0
  let status = 200

  function take({ resourceSpans }: Export): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      resources.push(record(resource.attributes))
      for (const each of scopeSpans.flatMap((scope) => scope.spans)) {
        const { attributes, startTimeUnixNano, endTimeUnixNano, ...span } = each
        const [start, end] = [BigInt(startTimeUnixNano), BigInt(endTimeUnixNano)]
        spans.push({ ...span, attributes: record(attributes), start, end })
      }
    }
  }

  const server = createServer((request, response) => {
    json(request).then(
      (body) => {
        requests++
        if (status === 200 && request.url === '/v1/traces') take(body as Export) // as OTLP has it
        response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
      },
      () => response.writeHead(400).end(),
    )
  })
  server.on('connection', () => {
    connections++
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a TCP server that listens has one
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    resources,
    connections: () => connections,
    requests: () => requests,
    answer(given) {
      status = given
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
