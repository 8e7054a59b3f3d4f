import { isAbsolute } from 'node:path';
import {
  checkFiles,
  checkWritable,
  discardStaging,
  isSameList,
  publishDirectory,
  readManifest,
  recoverOutput,
  stageDirectory,
} from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import type { JsonObject } from '@sublace/scheduling';

/** The only part of a job's spec that the coordinator reads. */
interface OutputSpec {
  output: string;
  overwrite: boolean;
}

/** What a fit publishes: a posterior, or a sequence of them. One may take the other's place. */
const KINDS = ['posterior', 'posterior-sequence'];

/** Staging folders of the jobs that are being finalised, one per lease, so that a zombie never writes where its successor does. */
export class Publisher {
  readonly #stagings = new Map<string, Map<number, string>>();

  /**
   * Refuses a job whose posterior could not be published, before any work is spent on it.
   *
   * @param spec  The job's spec.
   * @throws SublaceError INVALID_ARGUMENT when `output` is no absolute path, OUTPUT_UNWRITABLE when it cannot be written.
   */
  async check(spec: JsonObject): Promise<void> {
    const { output, overwrite } = outputOf(spec);
    await checkWritable(output, { overwrite, kind: KINDS });
  }

  /**
   * Makes the folder that the holder of a finalise lease writes to.
   *
   * @param jobId  The job.
   * @param leaseToken  Token of the lease.
   * @param spec  The job's spec.
   * @returns  Path of a new, empty folder beside the output.
   * @throws SublaceError OUTPUT_UNWRITABLE when it cannot be made.
   */
  async stage(jobId: string, leaseToken: number, spec: JsonObject): Promise<string> {
    const staging = await stageDirectory(outputOf(spec).output);
    const stagings = this.#stagings.get(jobId) ?? new Map<number, string>();
    this.#stagings.set(jobId, stagings.set(leaseToken, staging));
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
    const staging = this.#stagings.get(jobId)?.get(leaseToken);
    if (staging === undefined)
      throw new SublaceError('INTERNAL', `job ${jobId}: expected a staging folder of token ${leaseToken}, got none`);
    await publishDirectory(staging, output, { overwrite, kind: KINDS, files: checkFiles(summary.files, 'summary of finalise') });
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
      const manifest = await readManifest(outputOf(spec).output, { kind: KINDS });
      const isSame = manifest.digest === undefined || manifest.digest === summary.digest;
      return isSame && files.length > 0 && isSameList(manifest.files, files);
    } catch {
      return false;
    }
  }

  /**
   * Removes every staging folder of a job that has ended.
   *
   * @param jobId  The job.
   */
  async discard(jobId: string): Promise<void> {
    const stagings = this.#stagings.get(jobId);
    this.#stagings.delete(jobId);
    for (const staging of stagings?.values() ?? []) await discardStaging(staging);
  }

  /** Removes every staging folder of every job. */
  async discardAll(): Promise<void> {
    for (const jobId of [...this.#stagings.keys()]) await this.discard(jobId);
  }

  /**
   * Removes what a coordinator that was killed left beside an output; a posterior that it had only moved aside gets its name back.
   *
   * @param spec  Spec of a job that is resumed.
   * @throws SublaceError OUTPUT_UNWRITABLE when the posterior cannot be renamed back.
   */
  async sweep(spec: JsonObject): Promise<void> {
    await recoverOutput(outputOf(spec).output);
  }
}

function outputOf(spec: JsonObject): OutputSpec {
  const { output, overwrite } = spec;
  if (typeof output !== 'string' || !isAbsolute(output)) {
    throw new SublaceError('INVALID_ARGUMENT', `spec.output: expected an absolute path, got ${JSON.stringify(output)}`);
  }
  return { output, overwrite: overwrite === true };
}
