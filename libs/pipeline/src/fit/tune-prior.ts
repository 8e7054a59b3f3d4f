import { SublaceError } from '@sublace/errors';
import { denseOf, type TileSource } from '@sublace/linalg';
import { Spectrum, logMarginalLikelihood, searchPriorPrecision, type ChoiceRule, type PriorSearch } from '@sublace/posterior';
import * as tf from '@tensorflow/tfjs';
import { forEachJacobian } from '../predict/linearised-outputs.ts';
import { probabilitiesOf } from '../predict/probabilities.ts';
import type { FitContext } from './fit-context.ts';
import type { FitSpec, PriorMethod } from './fit-spec.ts';
import type { FitPlan, FitSelection } from './fit-task.ts';

/** Bytes that the validation examples' projected Jacobians may take; more examples than fit are not used for tuning. */
const PROJECTION_BYTES_MAX = 512 * 2 ** 20;

/** How the prior precision was found. */
export interface TunedPrior {
  readonly priorPrecision: number;
  readonly method: 'given' | Exclude<PriorMethod, 'auto'>;
  readonly search?: PriorSearch;
}

/** What tuning needs to know of the posterior to be. */
export interface TuningProblem {
  readonly ggn: TileSource;
  readonly indices: Int32Array;
  readonly mapValues: Float64Array;
  readonly plan: FitPlan;
  readonly selection: FitSelection;
}

/**
 * Finds a scalar prior precision: as given, by the mean validation NLL of the linearised predictive (the smallest, or the widest
 * posterior that is no worse), or by the evidence. One eigendecomposition of the GGN and one pass over the validation Jacobians serve the
 * whole grid.
 *
 * @param spec  `priorPrecision`: a value or a method; `priorTolerance`; `temperature`.
 * @param problem  GGN and subnetwork.
 * @param context  Model and data.
 * @returns  The precision and how it was found.
 * @throws {SublaceError} NUMERICAL_FAILURE when no prior precision has a finite loss.
 */
export function tunePrior(spec: FitSpec, problem: TuningProblem, context: FitContext): TunedPrior {
  const { priorPrecision: wanted, temperature } = spec;
  if (typeof wanted === 'number') return { priorPrecision: wanted, method: 'given' };
  const size = problem.indices.length;
  const method = wanted === 'auto' ? (context.validation ? 'widest' : 'evidence') : wanted;
  const spectrum = new Spectrum(denseOf(problem.ggn), size, { temperature });
  try {
    const rule: ChoiceRule = method === 'widest' ? { kind: 'widest', tolerance: spec.priorTolerance } : { kind: 'smallest-loss' };
    const search = method === 'evidence' ? byEvidence(spectrum, problem) : byValidation(spectrum, problem, context, rule);
    if (!Number.isFinite(search.best.loss)) {
      throw new SublaceError(
        'NUMERICAL_FAILURE',
        `priorPrecision: expected a finite ${method} loss at some value, got none; give a number`,
      );
    }
    return { priorPrecision: search.best.priorPrecision, method, search };
  } finally {
    spectrum.dispose();
  }
}

function byEvidence(spectrum: Spectrum, { mapValues, selection }: TuningProblem): PriorSearch {
  return searchPriorPrecision((grid) =>
    grid.map((prior) => {
      const priorPrecision = new Float64Array(mapValues.length).fill(prior);
      const { logLikelihood } = selection;
      const { value } = logMarginalLikelihood({ logLikelihood, logDeterminant: spectrum.logDeterminant(prior), priorPrecision, mapValues });
      return -value;
    }),
  );
}

function byValidation(
  spectrum: Spectrum,
  { indices, plan }: TuningProblem,
  { model, validation }: FitContext,
  rule: ChoiceRule,
): PriorSearch {
  if (!validation) throw new SublaceError('INTERNAL', 'tuning by validation without validation data');
  const { network } = model;
  const { outputCount } = network;
  const count = Math.max(1, Math.min(validation.count, Math.floor(PROJECTION_BYTES_MAX / (4 * outputCount * indices.length))));
  const mean = new Float64Array(count * outputCount);
  const projected: tf.Tensor2D[] = [];
  const losses = (grid: readonly number[]): number[] => {
    const variances = grid.map(() => new Float64Array(count * outputCount));
    let at = 0;
    for (const squares of projected) {
      spectrum.variances(squares, grid).forEach((values, g) => {
        variances[g].set(values, at);
      });
      at += squares.shape[0];
    }
    return variances.map((variance) => meanNll(mean, variance, validation.targets, plan));
  };
  try {
    forEachJacobian(network, indices, validation.inputs, count, (outputs, jacobian, first) => {
      mean.set(outputs.dataSync(), first * outputCount);
      projected.push(tf.keep(spectrum.projectedSquares(jacobian)));
    });
    return searchPriorPrecision(losses, rule);
  } finally {
    tf.dispose(projected);
  }
}

/** Mean negative log likelihood of the linearised predictive, nats per example (per value for regression). */
function meanNll(mean: Float64Array, variance: Float64Array, targets: Int32Array | Float32Array, plan: FitPlan): number {
  const { likelihood, outputCount, noiseVariance } = plan;
  let terms: Float64Array;
  if (likelihood === 'regression') {
    terms = mean.map((value, i) => {
      const total = variance[i] + (noiseVariance ?? 0);
      return 0.5 * (Math.log(2 * Math.PI * total) + (targets[i] - value) ** 2 / total);
    });
  } else {
    const probabilities = probabilitiesOf({ mean, variance }, outputCount, 'probit');
    const count = mean.length / outputCount;
    terms = Float64Array.from(
      { length: count },
      (_, n) => -Math.log(Math.max(probabilities[n * outputCount + targets[n]], Number.MIN_VALUE)),
    );
  }
  return terms.reduce((sum, term) => sum + term, 0) / terms.length;
}
