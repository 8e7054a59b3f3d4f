import type { Metric, Registry } from 'prom-client';

/** One value of a metric. */
export interface MetricValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Of histograms: `_bucket`, `_sum` or `_count`. */
  readonly suffix?: string;
}

/** A metric that is kept elsewhere. */
export interface MetricView {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Looks its values up. */
  readonly read: () => readonly MetricValue[];
}

/** Counts by range: one more count than bounds, each value counted once. */
export interface BucketCounts {
  readonly count: number;
  readonly sum: number;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/**
 * Adds a metric whose values are looked up at each scrape: whoever counts them need not count twice.
 *
 * @param registry  Of the role.
 * @param view  The metric.
 */
export function addMetricView(registry: Registry, { name, help, type, read }: MetricView): void {
  const get = (): Promise<object> => {
    const values = read().map(({ labels, value, suffix = '' }) => ({ labels, value, metricName: `${name}${suffix}` }));
    return Promise.resolve({ name, help, type, values, aggregator: 'sum' });
  };
  // What the registry asks of a metric, and no more: a base class for that is not exported.
  registry.registerMetric({ name, help, get, reset: () => undefined } as unknown as Metric);
}

/**
 * A histogram in Prometheus' form, where each bucket holds those below it too.
 *
 * @param histogram  Counts by range.
 * @param labels  Of all of its values.
 * @returns  Buckets, sum and count.
 */
export function histogramValues({ count, sum, bounds, counts }: BucketCounts, labels: MetricValue['labels']): MetricValue[] {
  let below = 0;
  const buckets = [...bounds, '+Inf'].map((le, i): MetricValue => {
    below += counts[i];
    return { labels: { ...labels, le }, value: below, suffix: '_bucket' };
  });
  return [...buckets, { labels, value: sum, suffix: '_sum' }, { labels, value: count, suffix: '_count' }];
}
