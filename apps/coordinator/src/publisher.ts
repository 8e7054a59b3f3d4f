import { checkFiles, isSameList, openOutput, type Output } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import type { JsonObject } from '@sublace/scheduling';

/** The only part of a job's spec that the coordinator reads. */
interface OutputSpec {
  output: Output;
  overwrite: boolean;
}

/** What a fit publishes: a posterior, or a sequence of them. One may take the other's place. */
const KINDS = ['posterior', 'posterior-sequence'];

/** What was staged for one job: where it is to be published, and a place per lease, so that a zombie never writes where its successor does. */
interface Staged {
  output: Output;
  places: Map<number, string>;
}

/** Publishes posteriors, to folders and to buckets. */
export class Publisher {
  readonly #staged = new Map<string, Staged>();

  /**
   * Refuses a job whose posterior could not be published, before any work is spent on it.
   *
   * @param spec  The job's spec.
   * @throws SublaceError INVALID_ARGUMENT when `output` is no absolute path and no `s3://` URI, OUTPUT_UNWRITABLE when it cannot be written, UNAVAILABLE
   *   and UNAUTHENTICATED when its bucket cannot be reached.
   */
  async check(spec: JsonObject): Promise<void> {
    const { output, overwrite } = outputOf(spec);
    await output.check({ overwrite, kind: KINDS });
  }

  /**
   * Makes the place that the holder of a finalise lease writes to.
   *
   * @param jobId  The job.
   * @param leaseToken  Token of the lease.
   * @param spec  The job's spec.
   * @returns  Path of a new, empty folder beside the output, or a URI that nothing is under yet.
   * @throws SublaceError OUTPUT_UNWRITABLE when it cannot be made.
   */
  async stage(jobId: string, leaseToken: number, spec: JsonObject): Promise<string> {
    const { output } = outputOf(spec);
    const staging = await output.stage(`${jobId}-${leaseToken}`);
    const { places } = this.#staged.get(jobId) ?? { places: new Map<number, string>() };
    this.#staged.set(jobId, { output, places: places.set(leaseToken, staging) });
    return staging;
  }

  /**
   * Publishes what the holder of a lease wrote, after comparing the manifest with what its worker reported, and every file with both.
   *
   * @param jobId  The job.
   * @param leaseToken  Token that the finalise task was done with.
   * @param spec  The job's spec.
   * @param summary  Summary of the finalise task, with `files`.
   * @throws SublaceError DIGEST_MISMATCH, OUTPUT_UNWRITABLE, DATA_INVALID; the output is as it was then.
   */
  async publish(jobId: string, leaseToken: number, spec: JsonObject, summary: JsonObject): Promise<void> {
    const { output, overwrite } = outputOf(spec);
    const staging = this.#staged.get(jobId)?.places.get(leaseToken);
    if (staging === undefined)
      throw new SublaceError('INTERNAL', `job ${jobId}: expected something staged under token ${leaseToken}, got nothing`);
    await output.publish(staging, { overwrite, kind: KINDS, files: checkFiles(summary.files, 'summary of finalise') });
  }

  /**
   * Whether the output is the very posterior that a finalise task reported: it was published, and only the note of it was lost.
   *
   * @param spec  The job's spec.
   * @param summary  Summary of the finalise task, with `files`, and `digest` if the manifest has one.
   * @returns  False also when there is no artifact, or one of something else.
   */
  async isPublished(spec: JsonObject, summary: JsonObject): Promise<boolean> {
    try {
      const files = checkFiles(summary.files, 'summary of finalise');
      const manifest = await outputOf(spec).output.readManifest({ kind: KINDS });
      const isSame = manifest.digest === undefined || manifest.digest === summary.digest;
      return isSame && files.length > 0 && isSameList(manifest.files, files);
    } catch {
      return false;
    }
  }

  /**
   * Removes everything that was staged for a job that has ended; what a bucket that cannot be reached keeps is for the next sweep.
   *
   * @param jobId  The job.
   */
  async discard(jobId: string): Promise<void> {
    const staged = this.#staged.get(jobId);
    this.#staged.delete(jobId);
    for (const place of staged?.places.values() ?? [])
      await staged?.output.discard(place).catch((error: unknown) => {
        if (!SublaceError.from(error).isRetryable) throw error;
      });
  }

  /** Removes everything that was staged for any job. */
  async discardAll(): Promise<void> {
    for (const jobId of [...this.#staged.keys()]) await this.discard(jobId);
  }

  /**
   * Removes what a coordinator that was killed left beside an output; a posterior that it had only moved aside gets its name back.
   *
   * @param spec  Spec of a job that is resumed.
   * @throws SublaceError OUTPUT_UNWRITABLE when the posterior cannot be renamed back.
   */
  async sweep(spec: JsonObject): Promise<void> {
    await outputOf(spec).output.recover();
  }
}

function outputOf(spec: JsonObject): OutputSpec {
  const { output, overwrite } = spec;
  if (typeof output !== 'string')
    throw new SublaceError('INVALID_ARGUMENT', `spec.output: expected an absolute path or s3://BUCKET/PATH, got ${JSON.stringify(output)}`);
  return { output: openOutput(output), overwrite: overwrite === true };
}
