import { startBackend } from '@sublace/backend';
import { openPosterior, type PosteriorManifest } from '@sublace/pipeline';
import { Command } from 'commander';
import { formatPairs, formatTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';

/**
 * `sublace inspect`: what is in a posterior.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function inspectCommand(terminal: () => Terminal): Command {
  return new Command('inspect')
    .description('show what is in a posterior: subnetwork, variances, dead share, effective dimension')
    .requiredOption('--posterior <dir>', 'folder of the posterior')
    .action(async ({ posterior: folder }: { posterior: string }) => {
      await startBackend();
      const fitted = await openPosterior(folder);
      const variances = fitted.posterior.marginalVariances().sort();
      fitted.dispose();
      const quantiles = Object.fromEntries([0, 0.25, 0.5, 0.75, 1].map((q) => [`${100 * q} %`, variances[Math.round(q * (variances.length - 1))]]));
      const { manifest } = fitted;
      terminal().result({ ...manifest, marginalVariances: quantiles }, () => describe(manifest, quantiles));
    });
}

function describe(manifest: PosteriorManifest, quantiles: Readonly<Record<string, number>>): string {
  const { subnetwork, prior, model, data } = manifest;
  const { report } = subnetwork;
  const priorVariance = 1 / manifest.priorPrecision;
  const pairs = formatPairs([
    ['digest', manifest.digest],
    ['model', `${model.parameterCount} weights, ${model.outputCount} outputs, digest ${model.digest.slice(0, 16)}`],
    ['data', `${data.spec}, ${data.exampleCount} examples, digest ${data.digest.slice(0, 16)}`],
    ['likelihood', manifest.noiseVariance === null ? manifest.likelihood : `${manifest.likelihood}, noise variance ${manifest.noiseVariance.toPrecision(4)} (normalised units)`],
    ['prior precision', `${manifest.priorPrecision.toPrecision(4)} (${prior.method}${prior.isAtBound ? ', at the end of the grid' : ''})`],
    ['subnetwork', `${subnetwork.rule}: ${subnetwork.size} weights of ${report.candidateCount} candidates`],
    ['dead candidates', `${report.deadCount} (${percent(report.deadCount / report.candidateCount)}), ${report.deadSelectedCount} of them chosen`],
    ['GGN diagonal kept', percent(report.diagonalMassShare)],
    ['effective dimension', `${manifest.effectiveDimension.toFixed(1)} of ${subnetwork.size}`],
    ['log marginal likelihood', manifest.logMarginalLikelihood.toFixed(2)],
    ['marginal variances', Object.entries(quantiles).map(([name, value]) => `${name}: ${value.toPrecision(3)}`).join('  ')], // prettier-ignore
    ['prior variance', priorVariance.toPrecision(3)],
  ]);
  const layers = report.layers.filter((layer) => layer.selected > 0);
  const rows = layers.map((layer) => [`${layer.layer}/${layer.weight}`, layer.selected, layer.total, percent(layer.selected / layer.total)]);
  return `${pairs}\n\n${formatTable(['weights', 'chosen', 'of', 'share'], rows)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
