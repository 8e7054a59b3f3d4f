import { SublaceError } from '@sublace/errors';
import type { ModelStatistics } from '@sublace/protocol/inference';
import type { HistogramSnapshot } from '../observe/histogram.ts';
import type { ModelStatisticsSnapshot } from '../observe/model-statistics.ts';
import type { InferenceService } from './run-inference.ts';

/**
 * What the extension statistics tells, in Triton's form.
 *
 * @param service  Models and the account of what happened to them.
 * @param name  Model name; empty: every model.
 * @param version  Empty: every version.
 * @returns  One message of gRPC for each version on offer; their JSON has the same fields in snake case.
 * @throws SublaceError NOT_FOUND for a name or version that is not on offer, INVALID_ARGUMENT for a version without a name.
 */
export function modelStatistics({ repository, statistics }: InferenceService, name: string, version: string): ModelStatistics[] {
  if (name === '' && version !== '')
    throw new SublaceError('INVALID_ARGUMENT', `statistics: expected a model name with a version, got version '${version}' alone`);
  const wanted = version === '' ? '' : repository.describe(name, version).version; // a label stands for one
  if (name !== '') repository.isModelReady(name); // throws for what is not there
  const names = name === '' ? repository.names : [name];
  const offered = new Set(names.flatMap((each) => repository.versionsOf(each).map((one) => `${each}/${one}`)));
  return statistics
    .snapshot()
    .models.filter((model) => offered.has(`${model.name}/${model.version}`) && (wanted === '' || model.version === wanted))
    .map(messageOf);
}

function messageOf(counted: ModelStatisticsSnapshot): ModelStatistics {
  const none = { count: 0, ns: 0 };
  return {
    name: counted.name,
    version: counted.version,
    lastInference: counted.lastInferenceAtMs,
    inferenceCount: counted.examples,
    executionCount: counted.batches,
    inferenceStats: {
      success: durationOf(counted.succeeded.count, counted.succeeded.seconds),
      fail: durationOf(counted.failed.count, counted.failed.seconds),
      queue: totalOf(counted.queue),
      // Copies in and out are part of the computing here.
      computeInput: { count: counted.compute.count, ns: 0 },
      computeInfer: totalOf(counted.compute),
      computeOutput: { count: counted.compute.count, ns: 0 },
      cacheHit: none,
      cacheMiss: none,
    },
    batchStats: counted.batchSizes.map(({ size, count, compute }) => ({
      batchSize: size,
      computeInput: { count, ns: 0 },
      computeInfer: durationOf(count, compute),
      computeOutput: { count, ns: 0 },
    })),
  };
}

function totalOf({ count, sum }: HistogramSnapshot): { count: number; ns: number } {
  return durationOf(count, sum);
}

function durationOf(count: number, seconds: number): { count: number; ns: number } {
  return { count, ns: Math.round(seconds * 1e9) };
}
