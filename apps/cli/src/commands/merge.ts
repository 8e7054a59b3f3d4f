import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isS3Uri, openOutput, uploadArtifact } from '@sublace/artifact-store';
import { startBackend } from '@sublace/backend';
import { mergePosteriors, POSTERIOR_KIND, type MergeOptions } from '@sublace/pipeline';
import { Command, Option } from 'commander';
import { absolutePlace } from '../absolute-paths.ts';
import { bounds, count, fileOr, numberOr } from '../options.ts';
import { describePosterior } from '../posterior-report.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface MergeFlags extends MergeOptions {
  readonly out: string;
  readonly overwrite?: boolean;
}

async function merge(folders: readonly string[], { out, overwrite = false, ...options }: MergeFlags, terminal: Terminal): Promise<void> {
  const output = absolutePlace(out);
  const place = openOutput(output);
  await place.check({ overwrite, kind: POSTERIOR_KIND });
  await startBackend();
  const staging = await place.stage('merge');
  const folder = isS3Uri(staging) ? await mkdtemp(join(tmpdir(), 'sublace-merge-')) : staging;
  try {
    const manifest = await mergePosteriors(folders, folder, options);
    if (folder !== staging) await uploadArtifact(folder, staging);
    await place.publish(staging, { overwrite, files: manifest.files });
    terminal.result({ output, digest: manifest.digest, manifest }, () => `${describePosterior(manifest)}\n\nposterior: ${output}`);
  } finally {
    // After publication there is nothing left under that name.
    await place.discard(staging);
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * `sublace merge`: one posterior of several that were fitted to different data.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function mergeCommand(terminal: () => Terminal): Command {
  return new Command('merge')
    .description('add up posteriors of one model and subnetwork that were fitted to different data')
    .argument('<posterior...>', 'folders of two or more posteriors; none may have seen data of another')
    .requiredOption('--out <place>', 'folder for the result, or s3://BUCKET/PATH')
    .option(
      '--prior-precision <value>',
      'a number, a file, evidence, or kept: that of the posteriors, which must be equal',
      fileOr(numberOr('evidence', 'kept')),
      'kept',
    )
    .addOption(
      new Option('--prior-structure <kind>', 'evidence: what shares a prior precision')
        .choices(['scalar', 'layer', 'weight'])
        .default('scalar'),
    )
    .option('--prior-bounds <min,max>', 'smallest and largest prior precision to choose', bounds, [1e-4, 1e6])
    .option('--prior-patience <rounds>', 'layer, weight: rounds without gain before the search ends', count(), 3)
    .option('--overwrite', 'replace a posterior that is there')
    .action((folders: string[], flags: MergeFlags) => merge(folders, flags, terminal()));
}
