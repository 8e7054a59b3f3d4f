import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProgressEvent } from '@sublace/protocol';
import type { Cluster } from '../distribution/cluster.ts';
import type { Fault } from './fault.ts';
import { FaultCluster } from './fault-cluster.ts';

let undisturbed: Promise<string> | undefined;

/**
 * The digest of an undisturbed fit with one worker, computed once.
 *
 * @returns  The sha256 of its sums, in hexadecimal.
 */
export function undisturbedDigest(): Promise<string> {
  undisturbed ??= (async () => {
    const cluster = new FaultCluster('embedded');
    try {
      await cluster.startCoordinator();
      await cluster.startWorkers(1);
      await cluster.finish(await cluster.submit({ pauseMs: 0 }));
      return digestOf(cluster);
    } finally {
      await cluster.dispose();
    }
  })();
  return undisturbed;
}

/**
 * Checks what came of a fault.
 *
 * @param fault  The fault, which says what may come of it.
 * @param cluster  The cluster that it struck.
 * @param last  The last event of its job.
 * @returns  The outcome in words.
 * @throws Error when it is another one, or when a failed job has published something.
 */
export async function checkOutcome({ expected }: Pick<Fault, 'expected'>, cluster: Cluster, last: ProgressEvent): Promise<string> {
  const left = cluster.outputs();
  if (expected !== 'same digest') {
    const { state, failure } = last;
    if (state !== 'failed' || failure?.code !== expected.code || !expected.message.test(failure.message))
      throw new Error(
        `expected a failure ${expected.code} ${String(expected.message)}, got ${state} ${failure?.code ?? ''} ${failure?.message ?? ''}`,
      );
    if (left.length > 0) throw new Error(`expected nothing to be published, got ${left.join(', ')}`);
    return `clear failure: ${failure.message}`;
  }
  if (last.state !== 'succeeded')
    throw new Error(`expected the job to succeed, got ${last.state}: ${last.failure?.message ?? 'no reason'}`);
  if (left.join() !== 'posterior') throw new Error(`expected the posterior alone beside the output, got ${left.join(', ')}`);
  const [digest, wanted] = [digestOf(cluster), await undisturbedDigest()];
  if (digest !== wanted) throw new Error(`expected the undisturbed digest ${wanted}, got ${digest}`);
  return 'same digest';
}

/** Of what was really published, not of what was reported. */
function digestOf(cluster: Cluster): string {
  return createHash('sha256')
    .update(readFileSync(join(cluster.output, 'sums.bin')))
    .digest('hex');
}
