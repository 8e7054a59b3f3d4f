import { resolve } from 'node:path';
import { checkWritable, discardStaging, publishDirectory, stageDirectory } from '@sublace/artifact-store';
import { startBackend } from '@sublace/backend';
import { mergePosteriors, POSTERIOR_KIND, type MergeOptions } from '@sublace/pipeline';
import { Command, Option } from 'commander';
import { bounds, count, fileOr, numberOr } from '../options.ts';
import { describePosterior } from '../posterior-report.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface MergeFlags extends MergeOptions {
  readonly out: string;
  readonly overwrite?: boolean;
}

async function merge(folders: readonly string[], { out, overwrite = false, ...options }: MergeFlags, terminal: Terminal): Promise<void> {
  const output = resolve(out);
  await checkWritable(output, { overwrite, kind: POSTERIOR_KIND });
  await startBackend();
  const staging = await stageDirectory(output);
  try {
    const manifest = await mergePosteriors(folders, staging, options);
    await publishDirectory(staging, output, { overwrite, files: manifest.files });
    terminal.result({ output, digest: manifest.digest, manifest }, () => `${describePosterior(manifest)}\n\nposterior: ${output}`);
  } finally {
    // After publication there is nothing left under that name.
    await discardStaging(staging);
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
    .requiredOption('--out <dir>', 'folder for the result')
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
