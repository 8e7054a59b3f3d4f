import { SublaceError } from '@sublace/errors';
import { implement, leaseRefOf, services, type Service } from '@sublace/protocol';
import { UnusableShard, type PullReport, type ShardPuller } from '@sublace/reduction';
import { shardAttributes, traced } from '@sublace/telemetry';
import type { Factorisations } from './factorise/factorisations.ts';
import type { SlotSums } from './slot-sums.ts';

/** What the service works with. */
export interface ReducerParts {
  sums: SlotSums;
  factorisations: Factorisations;
  puller: ShardPuller;
  /** Aborts when this process is about to end: shards that are being pulled are given up, later ones wait for the connection to close. */
  ending: AbortSignal;
  /** Told what was pulled for a shard, and the seconds that it took. */
  onPulled: (report: PullReport, seconds: number) => void;
}

/**
 * The Reducer service.
 *
 * @param parts  What it works with.
 * @returns  The service.
 */
export function reducerService(parts: ReducerParts): Service {
  const { sums, puller, ending, factorisations } = parts;
  return implement(services.Reducer.service, {
    async ping() {
      return { heldBytes: sums.heldBytes, residentBytes: process.memoryUsage.rss() };
    },
    async openJob({ jobId, slot, shardCount }) {
      if (!slot) throw new SublaceError('INVALID_ARGUMENT', `job ${jobId}: expected a slot, got none`);
      sums.take(slot);
      const job = await sums.open(jobId);
      return { shards: job.wholeShards('accumulate', shardCount), heldBytes: job.heldBytes, names: job.names('accumulate') };
    },
    async reduceShard(request, { signal }) {
      if (ending.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      const lease = leaseRefOf(request.lease);
      const { blocksAddress, maxDiagonal, selectionDigest } = request;
      const job = sums.of(lease.jobId);
      const offer = { lease, blocksAddress, names: sums.ownOf(request.names), basis: { maxDiagonal, digest: selectionDigest } };
      try {
        const startMs = performance.now();
        const report = await traced('reduce', shardAttributes(lease), async (span) => {
          const pulled = await puller.pull(offer, job, AbortSignal.any([signal, ending]));
          span.setAttributes({ 'sublace.pulled_bytes': pulled.pulledBytes, 'sublace.reduce_seconds': pulled.reduceSeconds });
          return pulled;
        });
        parts.onPulled(report, (performance.now() - startMs) / 1000);
        return report;
      } catch (error) {
        if (!(error instanceof UnusableShard)) throw error;
        const { code, message } = error;
        const unusable = { code, message, phase: lease.phase, shard: lease.shard };
        return { pulledCount: 0, pulledBytes: 0, reduceSeconds: 0, unusable };
      }
    },
    async writeCheckpoint({ jobId }) {
      return { bytes: await traced('checkpoint', { 'sublace.job_id': jobId }, () => sums.checkpoint(jobId)) };
    },
    async closeJob({ jobId }) {
      await sums.close(jobId);
      return {};
    },
    factorise: (request, context) => factorisations.factorise(request, context),
  });
}
