import type { Network } from '@sublace/network';
import { weightDeviations, type WeightCovariance } from '@sublace/posterior';
import { covarianceOfRoots, jointCovarianceOfRoots, varianceOfRoots } from '@sublace/predictive';
import * as tf from '@tensorflow/tfjs';
import { forEachJacobian, momentsOfRange, type LinearisedOutputs } from './linearised-outputs.ts';
import { mostNeeded, type RequestPlan } from './request-plan.ts';

/** What the tensor work gives for one request, in the network's units. */
export interface BatchOutputs {
  readonly moments: LinearisedOutputs;
  /** [N C, N C] row-major. */
  readonly joint?: Float64Array;
  /** [N, K, C] row-major. */
  readonly samples?: Float64Array;
}

/** Examples of a request in a micro-batch. */
interface Stretch {
  readonly request: number;
  /** Position of its first example in the micro-batch, and in the request. */
  readonly start: number;
  readonly first: number;
  readonly count: number;
}

/**
 * Linearised outputs of the inputs of several requests, computed together: one forward and backward pass and one solve for all of them, and only what some of
 * them needs. Covariance between inputs and drawn functions are per request.
 *
 * @param network  The network.
 * @param posterior  Covariance of the weights.
 * @param indices  Flat positions of the S weights.
 * @param inputs  Those of all requests, one after the other, normalised.
 * @param plans  The requests.
 * @returns  One for each request.
 * @throws {SublaceError} INVALID_ARGUMENT when a number of draws is no positive integer.
 */
export function batchOutputs(
  network: Network,
  posterior: WeightCovariance,
  indices: Int32Array,
  inputs: Float32Array,
  plans: readonly Pick<RequestPlan, 'count' | 'moments' | 'needsJoint' | 'draws'>[],
): BatchOutputs[] {
  const { outputCount } = network;
  const count = plans.reduce((sum, plan) => sum + plan.count, 0);
  const needs = {
    covariance: mostNeeded(plans) === 'covariance',
    roots: mostNeeded(plans) !== 'mean' || plans.some(({ needsJoint }) => needsJoint),
  };
  const mean = new Float64Array(count * outputCount);
  const variance = new Float64Array(needs.roots ? count * outputCount : 0);
  const covariance = needs.covariance ? new Float64Array(count * outputCount ** 2) : undefined;
  const joints = new JointRoots(outputCount);
  const functions = new FunctionDraws(posterior, plans, outputCount);
  try {
    forEachJacobian(network, indices, inputs, count, (outputs, columns, first) => {
      mean.set(outputs.dataSync(), first * outputCount);
      const stretches = stretchesOf(plans, first, outputs.shape[0]);
      for (const stretch of stretches) functions.add(stretch, outputs, columns);
      if (!needs.roots) return;
      const roots = posterior.roots(columns);
      for (const stretch of stretches) if (plans[stretch.request].needsJoint) joints.add(stretch, roots);
      if (!covariance) {
        variance.set(varianceOfRoots(roots).dataSync(), first * outputCount);
        return;
      }
      const values = covarianceOfRoots(roots, outputCount).dataSync();
      covariance.set(values, first * outputCount ** 2);
      for (let i = 0; i < outputs.size; i++) variance[first * outputCount + i] = values[i * outputCount + (i % outputCount)];
    });
    let start = 0;
    return plans.map((plan, request) => {
      const moments = momentsOfRange({ mean, variance, ...(covariance && { covariance }) }, start, plan.count, outputCount);
      start += plan.count;
      const samples = functions.of(request);
      return { moments, ...(plan.needsJoint && { joint: joints.covariance(request) }), ...(samples && { samples }) };
    });
  } finally {
    joints.dispose();
    functions.dispose();
  }
}

/** Which examples of a micro-batch belong to which request. */
function stretchesOf(plans: readonly Pick<RequestPlan, 'count'>[], first: number, count: number): Stretch[] {
  const stretches: Stretch[] = [];
  let start = 0;
  for (const [request, plan] of plans.entries()) {
    const [from, to] = [Math.max(start, first), Math.min(start + plan.count, first + count)];
    if (from < to) stretches.push({ request, start: from - first, first: from - start, count: to - from });
    start += plan.count;
  }
  return stretches;
}

/** Roots of the covariance between the inputs of a request, gathered over micro-batches. */
class JointRoots {
  readonly #outputCount: number;
  readonly #plus = new Map<number, tf.Tensor2D[]>();
  readonly #minus = new Map<number, tf.Tensor2D[]>();

  constructor(outputCount: number) {
    this.#outputCount = outputCount;
  }

  add(stretch: Stretch, { plus, minus }: ReturnType<WeightCovariance['roots']>): void {
    this.#keep(this.#plus, stretch, plus);
    if (minus) this.#keep(this.#minus, stretch, minus);
  }

  covariance(request: number): Float64Array {
    const parts = [this.#plus.get(request), this.#minus.get(request)];
    const [plus, minus] = parts.map((each) => each && tf.concat(each, 1));
    if (!plus) return new Float64Array(0); // of no inputs
    const covariance = jointCovarianceOfRoots({ plus, ...(minus && { minus }) });
    tf.dispose([plus, ...(minus ? [minus] : [])]);
    return covariance;
  }

  dispose(): void {
    tf.dispose([...this.#plus.values(), ...this.#minus.values()].flat());
  }

  #keep(parts: Map<number, tf.Tensor2D[]>, { request, start, count }: Stretch, root: tf.Tensor2D): void {
    const columns = tf.slice(root, [0, start * this.#outputCount], [root.shape[0], count * this.#outputCount]);
    parts.set(request, [...(parts.get(request) ?? []), tf.keep(columns)]);
  }
}

/** Draws of the linearised function, f(x, w*) + J (w - w*) with w from the posterior; equal draws of several requests are made once. */
class FunctionDraws {
  readonly #outputCount: number;
  /** Deviations of the weights, [K, S], by number and seed. */
  readonly #deviations = new Map<string, tf.Tensor2D>();
  readonly #plans: readonly Pick<RequestPlan, 'draws'>[];
  readonly #samples: (Float64Array | undefined)[];

  constructor(posterior: WeightCovariance, plans: readonly Pick<RequestPlan, 'count' | 'draws'>[], outputCount: number) {
    this.#outputCount = outputCount;
    this.#plans = plans;
    this.#samples = plans.map(({ count, draws }) => draws && new Float64Array(count * draws.count * outputCount));
    for (const { draws } of plans) {
      if (draws && !this.#deviations.has(keyOf(draws)))
        this.#deviations.set(keyOf(draws), weightDeviations(posterior, draws.count, draws.seed));
    }
  }

  add({ request, start, first, count }: Stretch, outputs: tf.Tensor2D, columns: tf.Tensor2D): void {
    const { draws } = this.#plans[request];
    const deviations = draws && this.#deviations.get(keyOf(draws));
    if (!deviations) return;
    const width = this.#outputCount;
    const own = tf.slice(columns, [0, start * width], [columns.shape[0], count * width]);
    const shifts = tf.transpose(tf.reshape(tf.matMul(own, deviations, true, true), [-1, width, draws.count]), [0, 2, 1]);
    const means = tf.expandDims(tf.slice(outputs, [start, 0], [count, width]), 1);
    this.#samples[request]?.set(tf.add(means, shifts).dataSync(), first * draws.count * width);
  }

  /** [N, K, C] of a request that wants some. */
  of(request: number): Float64Array | undefined {
    return this.#samples[request];
  }

  dispose(): void {
    tf.dispose([...this.#deviations.values()]);
  }
}

function keyOf({ count, seed }: NonNullable<RequestPlan['draws']>): string {
  return `${count} ${seed}`;
}
