import type { Spectrum } from '@sublace/posterior';
import * as tf from '@tensorflow/tfjs';
import { familyOf } from '../families/family-of.ts';
import { dividedNoise, noiseOf } from '../families/noise-variance.ts';
import { forEachJacobian } from '../predict/linearised-outputs.ts';
import { targetsOf } from '../prepared-data.ts';
import type { FitContext } from './fit-context.ts';
import type { FitPlan } from './fit-task.ts';

/** Bytes that the validation examples' projected Jacobians may take; more examples than fit are not used for tuning. */
const PROJECTION_BYTES_MAX = 512 * 2 ** 20;

/** Loss of one prior, and by how much the noise that goes with it is smaller than the given one. */
export interface ScaledLoss {
  /** Mean NLL, nats per example (per value for regression and for binary answers). */
  readonly loss: number;
  /** The given noise variance is divided by it; 1 unless the noise is found too. */
  readonly dataScale: number;
}

/** The mean validation NLL of the linearised predictive at any number of priors, for one pass over the validation Jacobians. */
export class ValidationLoss {
  readonly #spectrum: Spectrum;
  readonly #plan: FitPlan;
  readonly #mean: Float64Array;
  readonly #targets: Int32Array | Float32Array;
  readonly #projected: tf.Tensor2D[] = [];

  /**
   * @param spectrum  Of the GGN. Borrowed.
   * @param indices  Flat positions of the S weights.
   * @param plan  Likelihood and noise.
   * @param model  The model.
   * @param validation  The held-out examples.
   */
  constructor(
    spectrum: Spectrum,
    indices: Int32Array,
    plan: FitPlan,
    { network }: FitContext['model'],
    validation: NonNullable<FitContext['validation']>,
  ) {
    const { outputCount } = network;
    const affordable = Math.floor(PROJECTION_BYTES_MAX / (4 * outputCount * indices.length));
    const count = Math.max(1, Math.min(validation.count, affordable));
    this.#spectrum = spectrum;
    this.#plan = plan;
    this.#targets = targetsOf(validation, 0, count);
    this.#mean = new Float64Array(count * outputCount);
    forEachJacobian(network, indices, validation.inputs, count, (outputs, columns, first) => {
      this.#mean.set(outputs.dataSync(), first * outputCount);
      this.#projected.push(tf.keep(spectrum.projectedSquares(tf.transpose(columns))));
    });
  }

  /**
   * The losses at several priors.
   *
   * @param grid  Prior precisions; multiples of the spectrum's shape, and relative to a data term of scale 1.
   * @param isNoiseFree  Whether the noise of a regression is found for each prior: then a precision of `grid[g]` means `grid[g] * dataScale` in all.
   * @returns  One per prior.
   */
  at(grid: readonly number[], isNoiseFree: boolean): ScaledLoss[] {
    const variances = grid.map(() => new Float64Array(this.#mean.length));
    let start = 0;
    for (const squares of this.#projected) {
      this.#spectrum.variances(squares, grid).forEach((values, g) => {
        variances[g].set(values, start);
      });
      start += squares.shape[0];
    }
    return variances.map((variance) => (isNoiseFree ? this.#profile(variance) : { loss: this.#meanNll(variance, 1), dataScale: 1 }));
  }

  /** Frees the projected Jacobians. */
  dispose(): void {
    tf.dispose(this.#projected);
  }

  /**
   * The loss at the best noise. Dividing the noise by d divides the output variances of the same ratio of prior to data by d too, so the NLL in d is that of
   * one variance for residuals of known relative variances, and the best one is the mean of their squares.
   */
  #profile(variance: Float64Array): ScaledLoss {
    const noise = noiseOf(this.#plan.noiseVariance);
    const squares = variance.reduce(
      (sum, value, i) => sum + (this.#targets[i] - this.#mean[i]) ** 2 / (value + noise[i % noise.length]),
      0,
    );
    const dataScale = variance.length / squares;
    return { loss: this.#meanNll(variance, dataScale), dataScale };
  }

  #meanNll(variance: Float64Array, dataScale: number): number {
    const { likelihood, outputCount, noiseVariance } = this.#plan;
    const moments = { mean: this.#mean, variance: dataScale === 1 ? variance : variance.map((value) => value / dataScale) };
    const facts = { outputCount, noiseVariance: dividedNoise(noiseVariance, dataScale) };
    return familyOf(likelihood).meanNll(moments, this.#targets, facts);
  }
}
