import { readManifest } from '@sublace/artifact-store';
import { POSTERIOR_KIND, type FitSpec, type PosteriorManifest } from '@sublace/pipeline';
import { createCoordinatorClient, type PhaseReport } from '@sublace/protocol';
import type { Terminal } from '../terminal/terminal.ts';
import { followJob } from './follow-job.ts';
import { startLocalCluster } from './local-cluster.ts';

/** What computes a fit: processes started for it on this machine, or a cluster that runs already. */
export type FitPlace = { readonly workerCount: number; readonly threads: number } | { readonly coordinator: string };

/** A fit that succeeded. */
export interface FinishedFit {
  readonly jobId: string;
  readonly phases: readonly PhaseReport[];
  readonly manifest: PosteriorManifest;
}

/**
 * Submits a fit and follows it to its end. Processes that were started for it have ended when this returns.
 *
 * @param spec  What to fit, with absolute paths.
 * @param place  What computes it. For a cluster that runs already `SUBLACE_TOKEN` is its token.
 * @param terminal  Where progress is shown.
 * @returns  The published posterior's manifest and the times of the phases.
 * @throws {SublaceError} with the job's own code and message.
 */
export async function runFit(spec: FitSpec, place: FitPlace, terminal: Terminal): Promise<FinishedFit> {
  const cluster = 'coordinator' in place ? undefined : await startLocalCluster({ ...place, onNote: terminal.note });
  const address = cluster?.address ?? ('coordinator' in place ? place.coordinator : '');
  const token = cluster ? cluster.token : process.env['SUBLACE_TOKEN'];
  const client = createCoordinatorClient(address, token === undefined ? {} : { token });
  try {
    const work = client.submitJob({ ...spec }).then((jobId) => followJob(client, jobId, terminal));
    const { phases, jobId } = await (cluster ? Promise.race([work, cluster.broken]) : work);
    const manifest = (await readManifest(spec.output, { kind: POSTERIOR_KIND })) as PosteriorManifest;
    return { jobId, phases, manifest };
  } finally {
    client.close();
    await cluster?.stop();
  }
}
