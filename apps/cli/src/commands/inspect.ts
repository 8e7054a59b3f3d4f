import { startBackend } from '@sublace/backend';
import { openPosterior } from '@sublace/pipeline';
import { Command } from 'commander';
import { describeTuning } from '../prior-report.ts';
import { describePosterior, summariseVariances } from '../posterior-report.ts';
import type { Terminal } from '../terminal/terminal.ts';

/**
 * `sublace inspect`: what is in a posterior.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function inspectCommand(terminal: () => Terminal): Command {
  return new Command('inspect')
    .description('show what is in a posterior: layers, variances, dead share, effective dimension')
    .requiredOption('--posterior <dir>', 'folder of the posterior')
    .action(async ({ posterior: folder }: { posterior: string }) => {
      await startBackend();
      const fitted = await openPosterior(folder);
      const { manifest } = fitted;
      const variance = summariseVariances(fitted.posterior.marginalVariances(), manifest.priorPrecision);
      fitted.dispose();
      terminal().result({ manifest, variance }, () => {
        return [describePosterior(manifest, variance), describeTuning(manifest)].filter(Boolean).join('\n\n');
      });
    });
}
