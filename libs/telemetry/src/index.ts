export { CheckpointMetrics, type CheckpointOutcome } from './checkpoint-metrics.ts';
export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export { addMetricView, histogramValues, type BucketCounts, type MetricValue, type MetricView } from './metric-view.ts';
export { Counter, Gauge, Histogram, SECONDS_BUCKETS, createRegistry, serveMetrics, type MetricsServer, type Registry } from './metrics.ts';
export {
  below,
  contextOf,
  failSpan,
  inside,
  shardAttributes,
  spanBetween,
  startJobSpan,
  startSpan,
  traced,
  traceparentOf,
  type SpanShard,
} from './tracing/spans.ts';
export { isTracing, startTracing, type Tracing } from './tracing/start-tracing.ts';
export { jobTraceIds } from './tracing/trace-ids.ts';
export type { Span } from '@opentelemetry/api';
