import { readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { checkWritable, discardStaging, publishDirectory, stageDirectory, verifyFiles, type ArtifactFile } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import type { JsonObject } from '@sublace/scheduling';

/** The only part of a job's spec that the coordinator reads. */
interface OutputSpec {
  output: string;
  overwrite: boolean;
}

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
    await checkWritable(output, { overwrite, kind: 'posterior' });
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
   * Publishes what the holder of a lease wrote, after comparing every file with the digest that its worker reported.
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
    if (!Array.isArray(summary.files))
      throw new SublaceError('INVALID_ARGUMENT', 'finalise: expected a list files in its summary, got none');
    await verifyFiles({ files: summary.files as unknown as ArtifactFile[] }, staging);
    await publishDirectory(staging, output, { overwrite });
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
   * Removes what a coordinator that was killed left beside an output.
   *
   * @param spec  Spec of a job that is resumed.
   */
  async sweep(spec: JsonObject): Promise<void> {
    const { output } = outputOf(spec);
    const prefix = `.${basename(output)}.staging-`;
    const names = await readdir(dirname(output)).catch(() => []);
    for (const name of names.filter((each) => each.startsWith(prefix))) await discardStaging(join(dirname(output), name));
  }
}

function outputOf(spec: JsonObject): OutputSpec {
  const { output, overwrite } = spec;
  if (typeof output !== 'string' || !isAbsolute(output)) {
    throw new SublaceError('INVALID_ARGUMENT', `spec.output: expected an absolute path, got ${JSON.stringify(output)}`);
  }
  return { output, overwrite: overwrite === true };
}
