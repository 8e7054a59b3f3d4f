/** Loads posteriors: the module that the compute thread of a serving process runs. */
import { availableParallelism } from 'node:os';
import { cachedArtifact, isS3Uri } from '@sublace/artifact-store';
import { startBackend } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { memoryOfPosterior, openPosterior, readPosteriorManifest, type PosteriorManifest } from '@sublace/pipeline';
import type { LoadedModel } from '../models/model.ts';
import type { ModelLoader, ModelPlace } from './model-loader.ts';
import { posteriorModel } from './posterior-model.ts';
import { threadsFor } from './thread-count.ts';

/**
 * Operations of a batch's graph at once: the factor's blocks and the columns of the layers need nothing of each other. More than two have nothing to do for most of a batch.
 */
const BRANCHES = 2;

/** Codes of a bucket that does not answer. */
const UNREACHABLE: readonly string[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED'];

/** What models are prepared for. */
let use: { readonly batchMax?: number } = {};

const loader: ModelLoader = {
  start: async (options) => {
    const { threads, maxBatchSize, places = [] } = options;
    use = maxBatchSize === undefined ? {} : { batchMax: maxBatchSize };
    // One that cannot be read is one that cannot be loaded either, which says why.
    const read = await Promise.allSettled(places.map(({ place }) => readPosteriorManifest(place)));
    const manifests = read.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const branches = Math.min(BRANCHES, availableParallelism());
    return { ...(await startBackend({ threads: threads ?? threadsFor(manifests), branches })) };
  },
  estimateBytes: (place) => elseCached(place, estimateBytes),
  load: (place) => elseCached(place, load),
};

async function estimateBytes({ place, covariance }: ModelPlace): Promise<number> {
  return memoryOfPosterior(await readPosteriorManifest(place), { ...use, ...(covariance && { covariance }) }).peakBytes;
}

async function load(place: ModelPlace): Promise<LoadedModel> {
  // Before anything large is read; and once more of what was read, since a folder may be written to meanwhile.
  if (place.digest !== undefined) requireDigest(place, await readPosteriorManifest(place.place));
  const { model, covariance } = place;
  const fitted = await openPosterior(place.place, { ...(model !== undefined && { model }), ...(covariance && { covariance }) });
  try {
    requireDigest(place, fitted.manifest);
    await fitted.prepare(use);
    return posteriorModel(fitted, use.batchMax);
  } catch (error) {
    fitted.dispose();
    throw error;
  }
}

/** While a bucket cannot be reached, what was downloaded from it before will do, if its digest says that it is what is wanted. */
async function elseCached<T>(place: ModelPlace, read: (place: ModelPlace) => Promise<T>): Promise<T> {
  try {
    return await read(place);
  } catch (error) {
    const isUnreachable = isS3Uri(place.place) && UNREACHABLE.includes(SublaceError.from(error).code);
    const folder = isUnreachable && place.digest !== undefined ? await cachedArtifact(place.digest) : undefined;
    if (folder === undefined) throw error;
    return read({ ...place, place: folder });
  }
}

export default loader;

function requireDigest({ place, digest }: ModelPlace, manifest: PosteriorManifest): void {
  if (digest === undefined || digest === manifest.digest) return;
  const digests = `expected the posterior of digest ${digest.slice(0, 16)}, got ${manifest.digest.slice(0, 16)}`;
  throw new SublaceError('DIGEST_MISMATCH', `${place}: ${digests}; it is another than was published, publish it again`);
}
