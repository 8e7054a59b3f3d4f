import type { InferenceService } from '../inference/run-inference.ts';
import type { ModelDescription } from '../models/model.ts';
import type { ModelStatisticsSnapshot } from '../observe/model-statistics.ts';
import type { ModelKey } from '../observe/observer.ts';
import type { SecondSnapshot } from '../observe/recent-seconds.ts';
import { serverMetadata } from '../server-metadata.ts';

/** What is counted of one version, as far as it is shown. */
export interface OverviewStatistics {
  /** Requests since the start. */
  readonly succeeded: number;
  readonly failed: number;
  /** Of answered requests. */
  readonly examples: number;
  readonly batches: number;
  /** Requests that wait for a batch now. */
  readonly pending: number;
  /** The last seconds in which something happened, oldest first. */
  readonly recent: readonly SecondSnapshot[];
}

/** One version of one model. */
export interface OverviewModel extends ModelKey {
  readonly state: string;
  /** Why it is in that state; empty where that needs no saying. */
  readonly reason: string;
  readonly labels: readonly string[];
  /** Of the requests that name no version, 0..1. */
  readonly share: number;
  readonly inFlight: number;
  readonly memoryBytes: number;
  /** Null before it is loaded and after it has gone. */
  readonly description: Pick<ModelDescription, 'platform' | 'inputs' | 'outputs' | 'properties' | 'card'> | null;
  /** Null where nothing was counted. */
  readonly statistics: OverviewStatistics | null;
}

/** What the page draws from: every version, what it is, and how it does. */
export interface Overview {
  readonly server: { readonly name: string; readonly version: string; readonly isReady: boolean };
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly models: readonly OverviewModel[];
}

/**
 * What the page draws from.
 *
 * @param service  Models and their statistics.
 * @param service.repository  Models.
 * @param service.statistics  What was counted.
 * @param sinceMs  Seconds before this are left out; a page that asks each second has them already. Milliseconds since 1970.
 * @returns  Plain JSON.
 */
export function overviewOf({ repository, statistics }: Pick<InferenceService, 'repository' | 'statistics'>, sinceMs: number): Overview {
  const { atMs, models } = statistics.snapshot();
  const counted = new Map(models.map((model) => [keyOf(model), model]));
  return {
    server: { name: serverMetadata.name, version: serverMetadata.version, isReady: repository.isReady },
    atMs,
    models: repository.index().map(({ name, version, state, reason, labels, share, inFlight, memoryBytes, description }) => ({
      name,
      version,
      state,
      reason,
      labels,
      share,
      inFlight,
      memoryBytes,
      description: description ? shown(description) : null,
      statistics: statisticsOf(counted.get(keyOf({ name, version })), sinceMs),
    })),
  };
}

function keyOf({ name, version }: ModelKey): string {
  return `${name}/${version}`;
}

function shown({ platform, inputs, outputs, properties, card }: ModelDescription): NonNullable<OverviewModel['description']> {
  return { platform, inputs, outputs, properties, card };
}

function statisticsOf(model: ModelStatisticsSnapshot | undefined, sinceMs: number): OverviewStatistics | null {
  if (!model) return null;
  const { succeeded, failed, examples, batches, pending, recent } = model;
  return {
    succeeded: succeeded.count,
    failed: failed.count,
    examples,
    batches,
    pending,
    recent: recent.filter(({ atMs }) => atMs >= sinceMs),
  };
}
