import { context, propagation, trace } from '@opentelemetry/api';
// Types only: the module itself is loaded where tracing is on.
import type * as sdkModule from '@opentelemetry/sdk-trace';
import type { Sampler } from '@opentelemetry/sdk-trace';
import { SublaceError } from '@sublace/errors';
import { idGenerator } from './trace-ids.ts';

/** Tracing of this process. */
export interface Tracing {
  /** Sends what is still waiting, if that takes no longer than 1.5 s. */
  stop(): Promise<void>;
}

/** A collector that does not answer must not keep a process from ending. */
const STOP_MS = 1500;

let isOn = false;

/**
 * Whether this process records spans.
 *
 * @returns  True after {@link startTracing} found where to send them.
 */
export function isTracing(): boolean {
  return isOn;
}

/**
 * Begins to record spans and to send them by OTLP over HTTP with JSON, if the environment says where to. Otherwise nothing of OpenTelemetry's SDK is
 * loaded, and every span is a shared object that does nothing.
 *
 * @param role  Name of the role; the service is `sublace-ROLE` unless OTEL_SERVICE_NAME says otherwise.
 * @param env  OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT turns it on, OTEL_SDK_DISABLED=true off again; OTEL_TRACES_SAMPLER,
 *   OTEL_TRACES_SAMPLER_ARG, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TIMEOUT and OTEL_BSP_* mean what they mean everywhere.
 * @returns  How to end it.
 * @throws SublaceError INVALID_ARGUMENT for a protocol or a sampler that is not known.
 */
export async function startTracing(role: string, env: NodeJS.ProcessEnv = process.env): Promise<Tracing> {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  if (endpoint === '' || env['OTEL_SDK_DISABLED'] === 'true') return { stop: () => Promise.resolve() };
  const protocol = env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? 'http/json';
  if (protocol !== 'http/json') {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `OTEL_EXPORTER_OTLP_PROTOCOL: expected http/json, got '${protocol}'; leave it unset, and point the endpoint to the collector's HTTP port`,
    );
  }
  const [sdk, { OTLPTraceExporter }, { AsyncLocalStorageContextManager }, { W3CTraceContextPropagator }, resources] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/core'),
    import('@opentelemetry/resources'),
  ]);
  const own = { 'service.name': env['OTEL_SERVICE_NAME'] ?? `sublace-${role}`, 'service.namespace': 'sublace', 'process.pid': process.pid };
  const detectors = [resources.resourceAttributesEnvDetector, resources.serviceInstanceIdDetector];
  const resource = resources.defaultResource().merge(resources.detectResources({ detectors })).merge(resources.resourceFromAttributes(own));
  const provider = new sdk.TracerProvider({
    resource,
    idGenerator,
    sampler: samplerOf(sdk, env),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  isOn = true;
  return {
    async stop() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
    },
  };
}

function samplerOf(sdk: typeof sdkModule, env: NodeJS.ProcessEnv): Sampler {
  const name = env['OTEL_TRACES_SAMPLER'] ?? 'parentbased_always_on';
  const root = {
    always_on: () => new sdk.AlwaysOnSampler(),
    always_off: () => new sdk.AlwaysOffSampler(),
    traceidratio: () => new sdk.TraceIdRatioBasedSampler(ratioOf(env['OTEL_TRACES_SAMPLER_ARG'])),
  }[name.replace(/^parentbased_/, '')];
  if (!root) {
    const known = 'always_on, always_off, traceidratio, or one of them after parentbased_';
    throw new SublaceError('INVALID_ARGUMENT', `OTEL_TRACES_SAMPLER: expected ${known}, got '${name}'`);
  }
  return name.startsWith('parentbased_') ? new sdk.ParentBasedSampler({ root: root() }) : root();
}

function ratioOf(text = '1'): number {
  const ratio = Number(text);
  if (text.trim() !== '' && ratio >= 0 && ratio <= 1) return ratio;
  throw new SublaceError('INVALID_ARGUMENT', `OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1, got '${text}'`);
}
