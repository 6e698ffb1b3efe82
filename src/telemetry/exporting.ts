import { setTimeout as delay } from 'node:timers/promises'
import { DiagLogLevel, diag, type Tracer } from '@opentelemetry/api'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base'
import { GatewayError } from '../errors.js'

/** What spans say of the process that records them, and who is told how their export goes. */
export interface ExportOptions {
  readonly version: string
  readonly group: string
  /** Told when spans cannot be handed over, once until they can be again: then of no error. */
  readonly onExport: (error: Error | undefined) => void
  /** Told what else the library has to say: of variables that it does not understand, of spans that it dropped for there were too many. */
  readonly onWarning: (text: string) => void
}

/** Where spans are recorded. */
export interface Provider {
  readonly tracer: Tracer
  /** Hands over what is recorded, as far as that goes in a few seconds. */
  stop(): Promise<void>
}

/** What handing over the last spans may take. Milliseconds. */
const LAST_EXPORT_MS = 3000

/**
 * What the SDK does not read of the environment by itself is read here: which exporter there is to be. Its sampler, limits,
 * batches, and what an exporter needs are its own affair.
 * @throws GatewayError config.invalid for exporters that there are not
 */
export async function openProvider(options: ExportOptions, env: NodeJS.ProcessEnv): Promise<Provider> {
  const { version, group, onExport } = options
  hearWarnings(options.onWarning)
  const exporters = await exportersOf(env)
  const own = { 'service.name': 'patchbay', 'service.version': version, 'patchbay.group': group }
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes(own))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: exporters.map((exporter) => new BatchSpanProcessor(told(exporter, onExport))),
  })
  let stopped: Promise<void> | undefined
  const stop = async () => {
    const flushed = provider.shutdown().catch(() => undefined) // its exporter has told
    await Promise.race([flushed, delay(LAST_EXPORT_MS, undefined, { ref: false })])
  }
  return { tracer: provider.getTracer('patchbay', version), stop: () => (stopped ??= stop()) }
}

async function exportersOf(env: NodeJS.ProcessEnv): Promise<SpanExporter[]> {
  const names = (env.OTEL_TRACES_EXPORTER || 'otlp').split(',').map((name) => name.trim())
  const made = names.filter((name) => name !== 'none').map((name) => exporterOf(name, env))
  return Promise.all(made)
}

async function exporterOf(name: string, env: NodeJS.ProcessEnv): Promise<SpanExporter> {
  if (name === 'console') return new ConsoleSpanExporter()
  if (name !== 'otlp') throw unknown('OTEL_TRACES_EXPORTER', name, '`otlp`, `console` or `none`')
  const protocol =
    env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL || ('http/protobuf' satisfies Protocol)
  if (protocol === 'http/protobuf') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto')
    return new OTLPTraceExporter()
  }
  if (protocol === 'http/json') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
    return new OTLPTraceExporter()
  }
  throw unknown('OTEL_EXPORTER_OTLP_PROTOCOL', protocol, '`http/protobuf` or `http/json`')
}

type Protocol = 'http/protobuf' | 'http/json'

function unknown(variable: string, value: string, wanted: string): GatewayError {
  return new GatewayError('config.invalid', `${variable}: there is no \`${value}\`; want ${wanted}`)
}

/** Pause between two warnings that differ in their numbers alone. Milliseconds. */
const QUIET_MS = 60_000

function hearWarnings(onWarning: ExportOptions['onWarning']): void {
  const toldAt = new Map<string, number>()
  const tell = (text: string) => {
    // That is how the library writes errors of an exporter, which tells of them itself.
    if (text.startsWith('{')) return
    const kind = text.replace(/\d+/g, '#')
    const before = toldAt.get(kind)
    if (before !== undefined && performance.now() - before < QUIET_MS) return
    toldAt.set(kind, performance.now())
    onWarning(text)
  }
  const ignore = () => undefined
  const logger = { error: tell, warn: tell, info: ignore, debug: ignore, verbose: ignore }
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
}

/** An exporter whose failures are told of, once until it works again. */
function told(exporter: SpanExporter, onExport: ExportOptions['onExport']): SpanExporter {
  let hasFailed = false
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== 0
        if (failed !== hasFailed) onExport(failed ? (result.error ?? new Error('no reason was given')) : undefined)
        hasFailed = failed
        done(result)
      })
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  }
}
