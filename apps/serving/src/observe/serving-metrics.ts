import { addMetricView, createRegistry, histogramValues, type MetricValue, type MetricView, type Registry } from '@sublace/telemetry';
import type { CallCounts } from './call-observer.ts';
import type { ModelStatisticsSnapshot } from './model-statistics.ts';
import type { ModelKey } from './observer.ts';
import type { StatisticsSnapshot } from './statistics.ts';

/** A version that is in memory. */
export interface LoadedVersion extends ModelKey {
  readonly memoryBytes: number;
  /** Whether it answers requests that name no version. */
  readonly isDefault: boolean;
}

/** Where the values of the metrics come from, at each scrape. */
export interface MetricSources {
  statistics(): StatisticsSnapshot;
  calls(): CallCounts;
  loaded(): readonly LoadedVersion[];
  /** Bytes of the bodies of REST requests under way. */
  bodyBytes(): number;
}

/** The values of one scrape: one snapshot serves all metrics. */
interface Scraped {
  readonly statistics: StatisticsSnapshot;
  readonly calls: CallCounts;
  readonly loaded: readonly LoadedVersion[];
  readonly bodyBytes: number;
}

type Metric = Omit<MetricView, 'read'> & { readonly values: (scraped: Scraped) => readonly MetricValue[] };

/**
 * The metrics of a serving process, as views of what is counted anyway. Labels are names of versions that are or were served, codes and
 * protocols: nothing that a client can make up.
 *
 * @param sources  What is counted.
 * @param options  `triton`: also the metrics that Triton has, with its names, labels and units.
 * @param options.triton  See above.
 * @returns  The registry to be served.
 */
export function servingMetrics(sources: MetricSources, { triton = false }: { triton?: boolean } = {}): Registry {
  const registry = createRegistry('serving');
  let scraped: Scraped | undefined;
  const scrape = (): Scraped => {
    if (!scraped) {
      scraped = { statistics: sources.statistics(), calls: sources.calls(), loaded: sources.loaded(), bodyBytes: sources.bodyBytes() };
      // All metrics of one scrape are read before anything else happens.
      queueMicrotask(() => (scraped = undefined));
    }
    return scraped;
  };
  for (const { values, ...metric } of [...metrics, ...(triton ? tritonMetrics : [])]) {
    addMetricView(registry, { ...metric, read: () => values(scrape()) });
  }
  return registry;
}

const labelsOf = ({ name, version }: ModelKey): Record<string, string> => ({ model: name, version });

/** One value for each version. */
function perVersion(valueOf: (model: ModelStatisticsSnapshot) => number): Metric['values'] {
  return ({ statistics }) => statistics.models.map((model) => ({ labels: labelsOf(model), value: valueOf(model) }));
}

/** One histogram for each version. */
function histogramPerVersion(part: 'request' | 'queue' | 'compute' | 'batchSize'): Metric['values'] {
  return ({ statistics }) => statistics.models.flatMap((model) => histogramValues(model[part], labelsOf(model)));
}

const metrics: readonly Metric[] = [
  {
    name: 'sublace_serving_requests_total',
    help: 'Inference requests by how they ended.',
    type: 'counter',
    values: ({ statistics }) =>
      statistics.models.flatMap((model) =>
        model.requests.map(({ protocol, code, count }) => ({ labels: { ...labelsOf(model), protocol, code }, value: count })),
      ),
  },
  {
    name: 'sublace_serving_unknown_requests_total',
    help: 'Inference requests that no version was found for.',
    type: 'counter',
    values: ({ statistics }) => Object.entries(statistics.unknown).map(([code, value]) => ({ labels: { code }, value })),
  },
  {
    name: 'sublace_serving_refused_total',
    help: 'Calls that were not let in: unauthenticated, forbidden, rate_limited.',
    type: 'counter',
    values: ({ calls }) => Object.entries(calls.refused).map(([reason, value]) => ({ labels: { reason }, value })),
  },
  {
    name: 'sublace_serving_in_flight',
    help: 'Inference requests under way.',
    type: 'gauge',
    values: ({ calls }) => Object.entries(calls.inFlight).map(([protocol, value]) => ({ labels: { protocol }, value })),
  },
  {
    name: 'sublace_serving_body_bytes',
    help: 'Bytes of the bodies of REST requests under way, before and after decompression.',
    type: 'gauge',
    values: ({ bodyBytes }) => [{ labels: {}, value: bodyBytes }],
  },
  {
    name: 'sublace_serving_pending',
    help: 'Inference requests that wait for a batch.',
    type: 'gauge',
    values: perVersion(({ pending }) => pending),
  },
  {
    name: 'sublace_serving_request_seconds',
    help: 'From the arrival of a request to its answer, of those that were answered.',
    type: 'histogram',
    values: histogramPerVersion('request'),
  },
  {
    name: 'sublace_serving_queue_seconds',
    help: 'Waiting for a batch, of requests that were answered.',
    type: 'histogram',
    values: histogramPerVersion('queue'),
  },
  {
    name: 'sublace_serving_compute_seconds',
    help: "Computing of a request's batch, of requests that were answered.",
    type: 'histogram',
    values: histogramPerVersion('compute'),
  },
  { name: 'sublace_serving_batch_size', help: 'Examples of batches.', type: 'histogram', values: histogramPerVersion('batchSize') },
  {
    name: 'sublace_serving_examples_total',
    help: 'Examples of requests that were answered.',
    type: 'counter',
    values: perVersion(({ examples }) => examples),
  },
  {
    name: 'sublace_serving_version_state',
    help: '1 for the state that a version is in: loading, ready, unloading, unloaded, failed.',
    type: 'gauge',
    values: ({ statistics }) => statistics.models.map((model) => ({ labels: { ...labelsOf(model), state: model.state }, value: 1 })),
  },
  {
    name: 'sublace_serving_active_version',
    help: '1 for the version that answers requests which name none.',
    type: 'gauge',
    values: ({ loaded }) => loaded.filter(({ isDefault }) => isDefault).map((each) => ({ labels: labelsOf(each), value: 1 })),
  },
  {
    name: 'sublace_serving_memory_bytes',
    help: 'What a version that is loaded keeps in memory.',
    type: 'gauge',
    values: ({ loaded }) => loaded.map((each) => ({ labels: labelsOf(each), value: each.memoryBytes })),
  },
  {
    name: 'sublace_serving_version_changes_total',
    help: 'Changes of versions of a model: loading, ready, unloading, unloaded, failed.',
    type: 'counter',
    values: ({ statistics }) => statistics.changes.map(({ name, change, count }) => ({ labels: { model: name, change }, value: count })),
  },
];

/** Triton's labels; its durations are whole microseconds. */
function tritonPerVersion(valueOf: (model: ModelStatisticsSnapshot) => number): Metric['values'] {
  return ({ statistics }) => statistics.models.map((model) => ({ labels: labelsOf(model), value: Math.round(valueOf(model)) }));
}

const tritonMetrics: readonly Metric[] = [
  {
    name: 'nv_inference_request_success',
    help: 'Number of successful inference requests, all batch sizes',
    type: 'counter',
    values: tritonPerVersion(({ succeeded }) => succeeded.count),
  },
  {
    name: 'nv_inference_request_failure',
    help: 'Number of failed inference requests, all batch sizes',
    type: 'counter',
    values: ({ statistics }) => statistics.models.flatMap(tritonFailures),
  },
  {
    name: 'nv_inference_count',
    help: 'Number of inferences performed (does not include cached requests)',
    type: 'counter',
    values: tritonPerVersion(({ examples }) => examples),
  },
  {
    name: 'nv_inference_exec_count',
    help: 'Number of model executions performed (does not include cached requests)',
    type: 'counter',
    values: tritonPerVersion(({ batches }) => batches),
  },
  {
    name: 'nv_inference_request_duration_us',
    help: 'Cumulative inference request duration in microseconds (includes cached requests)',
    type: 'counter',
    values: tritonPerVersion(({ request }) => request.sum * 1e6),
  },
  {
    name: 'nv_inference_queue_duration_us',
    help: 'Cumulative inference queuing duration in microseconds (includes cached requests)',
    type: 'counter',
    values: tritonPerVersion(({ queue }) => queue.sum * 1e6),
  },
  {
    name: 'nv_inference_compute_infer_duration_us',
    help: 'Cumulative compute inference duration in microseconds (does not include cached requests)',
    type: 'counter',
    values: tritonPerVersion(({ compute }) => compute.sum * 1e6),
  },
  {
    name: 'nv_inference_pending_request_count',
    help: 'Instantaneous number of pending requests awaiting execution per-model.',
    type: 'gauge',
    values: tritonPerVersion(({ pending }) => pending),
  },
];

/** Triton parts failures by reason. */
function tritonFailures(model: ModelStatisticsSnapshot): MetricValue[] {
  const counts = { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 };
  for (const { code, count } of model.requests) {
    if (code === 'RESOURCE_EXHAUSTED' || code === 'DEADLINE_EXCEEDED') counts.REJECTED += count;
    else if (code === 'CANCELLED') counts.CANCELED += count;
    else if (code === 'INTERNAL') counts.BACKEND += count;
    else if (code !== 'OK') counts.OTHER += count;
  }
  return Object.entries(counts).map(([reason, value]) => ({ labels: { ...labelsOf(model), reason }, value }));
}
