import type { PosteriorManifest } from '@sublace/pipeline';
import { formatPairs, formatTable } from './terminal/table.ts';

/** Spread of the posterior over its weights. */
export interface VarianceSummary {
  readonly smallest: number;
  readonly median: number;
  readonly largest: number;
  /** Of a weight that the data say nothing about. */
  readonly prior: number;
  /** Weights that it is taken from. */
  readonly count: number;
}

/**
 * Smallest, median and largest of the marginal variances.
 *
 * @param variances  Diagonal of the posterior covariance, [S].
 * @param priorPrecision  1 / variance of the prior.
 * @returns  The summary.
 */
export function summariseVariances(variances: Float64Array, priorPrecision: number): VarianceSummary {
  const sorted = Float64Array.from(variances).sort();
  return {
    smallest: sorted[0] ?? Number.NaN,
    median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
    largest: sorted.at(-1) ?? Number.NaN,
    prior: 1 / priorPrecision,
    count: sorted.length,
  };
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2 });
}

function percent(part: number, whole: number): string {
  return whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : '-';
}

/**
 * A posterior in words and numbers: what it was fitted to, what the subnetwork keeps, what was found.
 *
 * @param manifest  Of the posterior.
 * @param variance  Spread of its weights, where it was computed.
 * @returns  Lines of text.
 */
export function describePosterior(manifest: PosteriorManifest, variance?: VarianceSummary): string {
  const { model, data, subnetwork, prior, backend } = manifest;
  const { report } = subnetwork;
  const spread =
    variance &&
    `${variance.smallest.toExponential(2)} to ${variance.largest.toExponential(2)}, median ${variance.median.toExponential(2)}, prior ${variance.prior.toExponential(2)}${variance.count < subnetwork.size ? ` (of ${variance.count} weights)` : ''}`;
  const { effectiveDimension, effectiveDimensionError } = manifest;
  const deviation = effectiveDimensionError > 0 ? ` (estimated, +- ${number(effectiveDimensionError)})` : '';
  const facts = formatPairs([
    ['digest', manifest.digest],
    [
      'model',
      `${model.digest.slice(0, 16)}, ${number(model.parameterCount)} parameters, [${model.inputShape.join(', ')}] -> ${model.outputCount}`,
    ],
    ['data', `${data.spec}, ${number(data.exampleCount)} examples, ${number(manifest.validation.exampleCount)} held out`],
    ['likelihood', manifest.likelihood],
    ['subnetwork', `${subnetwork.rule}, ${number(subnetwork.size)} weights`],
    ['GGN diagonal kept', `${percent(report.diagonalMassShare, 1)} of that over ${number(report.scoredCount)} scored weights`],
    [
      'dead candidates',
      `${number(report.deadCount)} of ${number(report.candidateCount)} (${percent(report.deadCount, report.candidateCount)})`,
    ],
    ...(report.deadSelectedCount > 0
      ? [['dead weights kept', `${number(report.deadSelectedCount)} of ${number(subnetwork.size)}: their posterior is the prior`] as const]
      : []),
    ['prior precision', describePrior(manifest)],
    ['temperature', number(manifest.temperature)],
    ['curvature', manifest.curvature],
    ...(manifest.rows ? [['rows of the GGN', describeRows(manifest.rows)] as const] : []),
    ...(manifest.noiseVariance === null
      ? []
      : [
          [
            'noise variance',
            `${[manifest.noiseVariance]
              .flat()
              .map((value) => value.toPrecision(4))
              .join(', ')} (normalised units)`,
          ] as const,
        ]),
    ['effective dimension', `${number(effectiveDimension)} of ${number(subnetwork.size)}${deviation}`],
    ['log marginal likelihood', number(manifest.logMarginalLikelihood)],
    ...(spread === undefined ? [] : [['weight variance', spread] as const]),
    ['shards', manifest.shards.length],
    ['computed by', `${backend.name} ${backend.version}, ${backend.device}, ${backend.threads} thread${backend.threads === 1 ? '' : 's'}`],
  ]);
  const { tensors } = prior;
  const rows = report.layers.map(({ layer, weight, selected, dead, total, diagonalMassShare }) => {
    const own = tensors?.find((tensor) => tensor.layer === layer && tensor.weight === weight);
    return [
      layer,
      weight,
      number(selected),
      number(total),
      percent(selected, total),
      number(dead),
      percent(diagonalMassShare, 1),
      ...(tensors ? [own?.priorPrecision.toPrecision(4) ?? '-'] : []),
    ];
  });
  const header = ['layer', 'weight', 'selected', 'of', 'share', 'dead', 'GGN diagonal', ...(tensors ? ['prior precision'] : [])];
  return `${facts}\n\n${formatTable(header, rows)}`;
}

function describePrior({ prior, priorPrecision }: PosteriorManifest): string {
  const { structure, mean, method, isAtBound, bounds } = prior;
  const parts = [
    method,
    ...(structure === 'scalar' ? [] : [`geometric mean of one per ${structure === 'layer' ? 'weight tensor' : 'weight'}`]),
    ...(mean === 0 ? [] : [mean === null ? 'prior mean from a file' : `prior mean ${mean}`]),
    ...(isAtBound === true ? [`at a bound of the search, ${bounds?.join(' to ')}`] : []),
  ];
  return `${priorPrecision.toPrecision(4)} (${parts.join(', ')})`;
}

function describeRows({ keptCount, rowCount, droppedShare }: NonNullable<PosteriorManifest['rows']>): string {
  return `${number(keptCount)} of ${number(rowCount)} (${percent(keptCount, rowCount)}); ${droppedShare.toExponential(1)} of the trace left out`;
}
