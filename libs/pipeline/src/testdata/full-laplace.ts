import { loadDataset, normaliseInputs, type Dataset } from '@sublace/data';
import { diagonalMatrix, logAbsoluteDeterminant, sum, type Matrix } from '@sublace/testing';
import { familyOf, openPosterior, type FitSpecInput, type FittedModel } from '../index.ts';
import { fitInProcess, type FitRun } from './fit-in-process.ts';
import { linearise, twinOf, type SmallProblem } from './small-problems.ts';

/** Every weight is in the subnetwork, so the posterior is full linearised Laplace; the twin computes it from Jacobians and inverses of doubles. */
export interface FullLaplace {
  readonly run: FitRun;
  readonly fitted: FittedModel;
  readonly data: Dataset;
  /** One [C] per example. */
  readonly outputs: number[][];
  /** One [C, P] per example. */
  readonly jacobians: Matrix[];
  readonly mapValues: number[];
}

/**
 * Fits every weight at a fixed prior, and linearises the twin at the training data.
 *
 * @param problem  Model and data.
 * @param options  `output`, `priorPrecision` and what else is not the default.
 * @returns  The fit and its twin's linearisation.
 */
export async function fullLaplace(
  problem: SmallProblem,
  options: Pick<FitSpecInput, 'output' | 'priorPrecision'> & Partial<FitSpecInput>,
): Promise<FullLaplace> {
  const run = await fitInProcess({ ...problem, subnetwork: 'names:*', keepDead: true, validation: 'none', shardSize: 40, ...options });
  const fitted = await openPosterior(options.output);
  const { likelihood, normalisation } = fitted.manifest;
  const data = await loadDataset(problem.data, { split: 'train', likelihood: familyOf(likelihood).targetUse });
  const twin = twinOf(fitted.network);
  const mapValues = twin.layers.flatMap((layer) => layer.weights.flatMap((weight) => weight.values));
  return { run, fitted, data, mapValues, ...linearise(twin, normaliseInputs(data.inputs, normalisation)) };
}

/**
 * Log marginal likelihood by determinants of doubles.
 *
 * @param logLikelihood  At the MAP, nats.
 * @param ggn  [S, S]
 * @param prior  Precision of every weight.
 * @param mapValues  [S]
 * @returns  Nats.
 */
export function naiveEvidence(logLikelihood: number, ggn: Matrix, prior: number, mapValues: readonly number[]): number {
  const precision = sum(ggn, diagonalMatrix(ggn.map(() => prior)));
  const logDetRatio = logAbsoluteDeterminant(precision) - ggn.length * Math.log(prior);
  return logLikelihood - 0.5 * (logDetRatio + prior * mapValues.reduce((total, w) => total + w * w, 0));
}
