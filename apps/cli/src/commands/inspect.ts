import { startBackend } from '@sublace/backend';
import { openPosterior, type FittedModel } from '@sublace/pipeline';
import { Command } from 'commander';
import { describeTuning } from '../prior-report.ts';
import { describePosterior, summariseVariances } from '../posterior-report.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Largest subnetwork whose every variance is computed, and how many are beyond it. */
const EVERY_SIZE_MAX = 4096;
const SAMPLE_SIZE = 256;

/**
 * `sublace inspect`: what is in a posterior.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function inspectCommand(terminal: () => Terminal): Command {
  return new Command('inspect')
    .description('show what is in a posterior: layers, variances, dead share, effective dimension')
    .requiredOption('--posterior <place>', 'folder of the posterior, or s3://BUCKET/PATH')
    .action(async ({ posterior: folder }: { posterior: string }) => {
      await startBackend();
      const fitted = await openPosterior(folder);
      const { manifest } = fitted;
      const variance = summariseVariances(variancesOf(fitted.posterior), manifest.priorPrecision);
      fitted.dispose();
      terminal().result({ manifest, variance }, () => {
        return [describePosterior(manifest, variance), describeTuning(manifest)].filter(Boolean).join('\n\n');
      });
    });
}

/** Variances of every weight, or of some, evenly spaced, where all would take as long as the fit. */
function variancesOf(posterior: FittedModel['posterior']): Float64Array {
  const { size } = posterior;
  if (size <= EVERY_SIZE_MAX) return posterior.marginalVariances();
  return posterior.marginalVariances(Int32Array.from({ length: SAMPLE_SIZE }, (_, i) => Math.floor((i * size) / SAMPLE_SIZE)));
}
