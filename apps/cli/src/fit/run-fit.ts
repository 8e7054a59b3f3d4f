import { joinPlace, readManifestAt } from '@sublace/artifact-store';
import { POSTERIOR_KIND, SEQUENCE_KIND, sizeOfRule, type FitSpec, type PosteriorManifest, type SequenceManifest } from '@sublace/pipeline';
import { createCoordinatorClient, type PhaseReport, type Security } from '@sublace/protocol';
import type { Terminal } from '../terminal/terminal.ts';
import { followJob } from './follow-job.ts';
import { startLocalCluster } from './local-cluster.ts';

/** What computes a fit: processes started for it on this machine, or a cluster that runs already. */
export type FitPlace =
  | { readonly workerCount: number; readonly threads: number; readonly reducerCount?: number }
  | { readonly coordinator: string; readonly security: Security };

/** A fit that succeeded. */
export interface FinishedFit {
  readonly jobId: string;
  readonly phases: readonly PhaseReport[];
  /** sha256 of what was published. */
  readonly digest: string;
  /** One posterior, or one per size, ascending; with the folder of each. */
  readonly posteriors: readonly { readonly folder: string; readonly manifest: PosteriorManifest }[];
}

/**
 * Submits a fit and follows it to its end. Processes that were started for it have ended when this returns.
 *
 * @param spec  What to fit, with absolute paths.
 * @param place  What computes it.
 * @param terminal  Where progress is shown.
 * @returns  The manifests of what was published, and the times of the phases.
 * @throws {SublaceError} with the job's own code and message.
 */
export async function runFit(spec: FitSpec, place: FitPlace, terminal: Terminal): Promise<FinishedFit> {
  const size = sizeOfRule(spec.subnetwork);
  const cluster = 'coordinator' in place ? undefined : await startLocalCluster({ ...place, size, onNote: terminal.note });
  const { address, security } =
    'coordinator' in place ? { address: place.coordinator, ...place } : { address: cluster!.address, security: { token: cluster!.token } };
  const client = createCoordinatorClient(address, security);
  try {
    const work = client.submitJob({ ...spec }).then((jobId) => followJob(client, jobId, terminal, cluster ? { reconnectMs: 0 } : {}));
    const { phases, jobId } = await (cluster ? Promise.race([work, cluster.broken]) : work);
    return { jobId, phases, ...(await readPublished(spec.output)) };
  } finally {
    client.close();
    await cluster?.stop();
  }
}

async function readPublished(output: string): Promise<Pick<FinishedFit, 'digest' | 'posteriors'>> {
  const manifest = await readManifestAt(output, { kind: [POSTERIOR_KIND, SEQUENCE_KIND] });
  if (manifest.kind === POSTERIOR_KIND) {
    const posterior = manifest as PosteriorManifest;
    return { digest: posterior.digest, posteriors: [{ folder: output, manifest: posterior }] };
  }
  const sequence = manifest as SequenceManifest;
  const posteriors = [];
  for (const part of sequence.posteriors) {
    const folder = joinPlace(output, part.folder);
    posteriors.push({ folder, manifest: (await readManifestAt(folder, { kind: POSTERIOR_KIND })) as PosteriorManifest });
  }
  return { digest: sequence.digest, posteriors };
}
