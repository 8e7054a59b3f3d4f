import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isS3Uri, openOutput, uploadArtifact } from '@sublace/artifact-store';
import { startBackend } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { POSTERIOR_KIND, truncatePosterior, type ErrorSummary, type TruncationFacts } from '@sublace/pipeline';
import { Command } from 'commander';
import { absolutePlace } from '../absolute-paths.ts';
import { count, real } from '../options.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface TruncateFlags {
  readonly posterior: string;
  readonly data: string;
  readonly out: string;
  readonly rank?: number;
  readonly tolerance?: number;
  readonly count: number;
  readonly overwrite?: boolean;
}

async function truncate(
  { posterior, data, out, rank, tolerance, overwrite = false, ...rest }: TruncateFlags,
  terminal: Terminal,
): Promise<void> {
  if ((rank === undefined) === (tolerance === undefined))
    throw new SublaceError('USAGE', `expected one of --rank and --tolerance, got ${rank === undefined ? 'neither' : 'both'}`);
  const output = absolutePlace(out);
  const place = openOutput(output);
  await place.check({ overwrite, kind: POSTERIOR_KIND });
  await startBackend();
  const staging = await place.stage('truncate');
  const folder = isS3Uri(staging) ? await mkdtemp(join(tmpdir(), 'sublace-truncate-')) : staging;
  try {
    const choice = rank === undefined ? { tolerance: tolerance as number } : { rank };
    const { files, digest, truncation } = await truncatePosterior(absolutePlace(posterior), folder, { data, choice, count: rest.count });
    if (folder !== staging) await uploadArtifact(folder, staging);
    await place.publish(staging, { overwrite, files });
    terminal.result({ output, digest, truncation }, () => `${describeTruncation(truncation as TruncationFacts)}\n\nposterior: ${output}`);
  } finally {
    // After publication there is nothing left under that name.
    await place.discard(staging);
    await rm(folder, { recursive: true, force: true });
  }
}

function describeTruncation({ rank, eigenvalues, heldOut, varianceError, probabilityError, cancellation, form }: TruncationFacts): string {
  const summary = ({ max, mean, p99 }: ErrorSummary): string =>
    `max ${max.toExponential(2)}, 99 % within ${p99.toExponential(2)}, mean ${mean.toExponential(2)}`;
  return [
    `rank:                    ${rank}, eigenvalues ${eigenvalues.largest.toPrecision(3)} to ${eigenvalues.smallest.toPrecision(3)} (data over prior)`,
    `measured on:             ${heldOut.count} inputs of ${heldOut.data}`,
    `variances, relative:     ${summary(varianceError)}`,
    ...(probabilityError ? [`probabilities, absolute: ${summary(probabilityError)}`] : []),
    `computed by:             ${form === 'subtract' ? 'subtracting' : 'projecting'}; prior variance up to ${cancellation.toPrecision(3)} times that of the posterior`,
  ].join('\n');
}

/**
 * `sublace truncate`: the leading eigenvectors of a posterior, for faster predictions with a known error.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function truncateCommand(terminal: () => Terminal): Command {
  return new Command('truncate')
    .description('add the leading eigenvectors of a posterior to it, and measure what predictions from them alone lose')
    .requiredOption('--posterior <place>', 'folder of the posterior, or s3://BUCKET/PATH')
    .requiredOption('--data <spec>', 'data SPEC of inputs that the fit has not seen, for the measurement')
    .option('--rank <count>', 'eigenvectors to keep', count())
    .option('--tolerance <share>', 'keep as many that no variance is too large by more than this share', real({ min: 1e-9 }))
    .option('--count <inputs>', 'inputs to measure with, the first of the data', count(), 256)
    .requiredOption('--out <place>', 'folder for the result, or s3://BUCKET/PATH')
    .option('--overwrite', 'replace a posterior that is there')
    .action((flags: TruncateFlags) => truncate(flags, terminal()));
}
