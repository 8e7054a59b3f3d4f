import { join } from 'node:path';
import { DiagonalAccumulator, GgnAccumulator, identitySeeds, jacobianColumns, microBatchSize, squareRootSeeds } from '@sublace/curvature';
import { categorical, gaussian, type Likelihood } from '@sublace/likelihoods';
import { denseOf, TiledMatrix } from '@sublace/linalg';
import { Rows, loadNetwork, type Network } from '@sublace/network';
import { readModelFiles } from '@sublace/pipeline';
import {
  InverseFactor,
  leadingEigenbasis,
  Posterior,
  Spectrum,
  logMarginalLikelihood,
  TruncatedCovariance,
  type WeightCovariance,
} from '@sublace/posterior';
import { applyLink, outputCovariance, type Link } from '@sublace/predictive';
import * as tf from '@tensorflow/tfjs';
import { readReferenceCase, type ReferenceCase } from './reference-case.ts';

/** One compared quantity. Errors are relative Frobenius unless the quantity is a probability (absolute) or an evidence (relative). */
export interface Comparison {
  readonly quantity: string;
  readonly error: number;
  readonly limit: number;
}

/** Limits of design/numerics: 1e-4 everywhere; Monte Carlo to about four standard errors of both estimates. */
const LIMIT = 1e-4;
const MONTE_CARLO_SAMPLES = 100_000;
const MONTE_CARLO_LIMIT = 4 * Math.sqrt(0.25 / 200_000 + 0.25 / MONTE_CARLO_SAMPLES);

/** Predictives by the name of their reference tensor. */
const LINK_TENSORS: readonly (readonly [Link, string])[] = [
  ['probit', 'predictive_probit'],
  ['bridge', 'predictive_bridge'],
  ['bridge-normalised', 'predictive_bridge_norm'],
];

/**
 * Runs one case through the library and compares every quantity that it holds.
 *
 * @param folder  A folder with case.json, tensors.safetensors and layersmodel/.
 * @returns  The comparisons, in the order of the computation.
 */
export async function checkCase(folder: string): Promise<Comparison[]> {
  const reference = readReferenceCase(folder);
  const network = loadNetwork(readModelFiles(join(folder, 'layersmodel')));
  const likelihood = reference.noiseStd === undefined ? categorical : gaussian(reference.noiseStd ** 2);
  const { indices, order } = subnetworkOf(reference, network);
  const comparisons: Comparison[] = [];
  const compare = (quantity: string, got: ArrayLike<number>, tensor: string): void => {
    if (reference.has(tensor)) comparisons.push({ quantity, error: relativeFrobenius(got, reference.tensor(tensor)), limit: LIMIT });
  };

  const fit = accumulate(network, likelihood, reference, indices);
  compare('f_train', fit.outputs, 'f_train');
  // The reference keeps the noise out of its GGN and divides by it in the precision.
  const noiseVariance = (reference.noiseStd ?? 1) ** 2;
  compare('diagonal GGN, all weights (sorted)', sorted(fit.diagonal.map((value) => value * noiseVariance)), 'ggn_diagonal_all:sorted');
  const ggn = permute(denseOf(TiledMatrix.fromBlocks(fit.tiles, indices.length)), order);
  compare(
    'GGN',
    ggn.map((value) => value * noiseVariance),
    'ggn',
  );

  // The case's own order of the weights from here on.
  const mapValues = mapValuesOf(network, indices, order, folder);
  const posterior = new Posterior({ indices, mapValues, ggn, priorPrecision: reference.priorPrecision });
  compare('posterior precision', posterior.precision(), 'posterior_precision');
  compare('posterior covariance', posterior.covariance(), 'posterior_covariance');

  const logLikelihood = likelihood.logLikelihood(fit.outputs, reference.targets, network.outputCount);
  comparisons.push({ quantity: 'log likelihood', error: relative(logLikelihood, reference.logLikelihood), limit: LIMIT });
  const evidence = { logLikelihood, logDeterminant: posterior.logDeterminant, priorPrecision: posterior.priorPrecision, mapValues };
  comparisons.push({
    quantity: 'log marginal likelihood',
    error: relative(logMarginalLikelihood(evidence).value, reference.logMarginalLikelihood),
    limit: LIMIT,
  });
  const spectrum = new Spectrum(ggn, indices.length);
  for (const [prior, expected] of reference.evidenceByPrior) {
    const priorPrecision = new Float64Array(indices.length).fill(prior);
    const got = logMarginalLikelihood({ ...evidence, priorPrecision, logDeterminant: spectrum.logDeterminant(prior) }).value;
    comparisons.push({ quantity: `log marginal likelihood, prior ${prior}`, error: relative(got, expected), limit: LIMIT });
  }
  spectrum.dispose();

  const predictions = { network, reference, indices, order };
  comparisons.push(...comparePredictions(predictions, posterior, compare));
  // The covariances that a server takes: they must say the same.
  const inverse = await InverseFactor.of(posterior.factor);
  const { priorPrecision, temperature } = posterior;
  const basis = await leadingEigenbasis(posterior.ggn, { priorPrecision, temperature }, { rank: indices.length });
  const truncated = new TruncatedCovariance(basis, priorPrecision);
  for (const [name, covariance] of Object.entries({ 'inverse factor': inverse, 'eigenbasis, all of it': truncated })) {
    compare(`f_variance, ${name}`, linearised(predictions, covariance).covariance, 'f_variance');
    covariance.dispose();
  }
  posterior.dispose();
  network.dispose();
  return comparisons;
}

/** A model with inputs to predict for. */
interface Predictions {
  readonly network: Network;
  readonly reference: ReferenceCase;
  readonly indices: Int32Array;
  readonly order: Int32Array;
}

/** Means [N, C] and covariances [N, C, C] of the outputs at the test inputs. */
function linearised(
  { network, reference, indices, order }: Predictions,
  posterior: WeightCovariance,
): { mean: Float64Array; covariance: Float64Array } {
  const { outputCount } = network;
  const [count] = reference.test.shape;
  const mean = new Float64Array(count * outputCount);
  const covariance = new Float64Array(count * outputCount ** 2);
  tf.tidy(() => {
    const tape = network.record(reference.test);
    const rows = new Rows(count, outputCount);
    const sortedColumns = jacobianColumns(network, tape, identitySeeds(count, outputCount), rows, indices);
    const columns: tf.Tensor2D = tf.gather(sortedColumns, tf.tensor1d(order, 'int32'));
    mean.set(tape.outputs.dataSync());
    covariance.set(outputCovariance(posterior, columns, outputCount).dataSync());
  });
  return { mean, covariance };
}

function comparePredictions(
  predictions: Predictions,
  posterior: Posterior,
  compare: (quantity: string, got: ArrayLike<number>, tensor: string) => void,
): Comparison[] {
  const { network, reference } = predictions;
  const { outputCount } = network;
  const [count] = reference.test.shape;
  const { mean, covariance } = linearised(predictions, posterior);
  compare('f_mean', mean, 'f_mean');
  compare('f_variance', covariance, 'f_variance');
  if (reference.noiseStd !== undefined) return [];

  const probabilities = (link: Link, examples: number): number[] =>
    Array.from({ length: examples }, (_, n) => {
      const logits = {
        mean: mean.subarray(n * outputCount, (n + 1) * outputCount),
        covariance: covariance.subarray(n * outputCount ** 2, (n + 1) * outputCount ** 2),
      };
      return [...applyLink(link, logits, { samples: MONTE_CARLO_SAMPLES, seed: n })];
    }).flat();
  const comparisons: Comparison[] = [];
  for (const [link, tensor] of LINK_TENSORS) {
    if (!reference.has(tensor)) continue;
    comparisons.push({ quantity: link, error: largestDifference(probabilities(link, count), reference.tensor(tensor)), limit: LIMIT });
  }
  for (const name of reference.names.filter((candidate) => candidate.startsWith('predictive_mc'))) {
    const expected = reference.tensor(name);
    const error = largestDifference(probabilities('monte-carlo', expected.length / outputCount), expected);
    comparisons.push({ quantity: 'monte-carlo', error, limit: MONTE_CARLO_LIMIT });
  }
  return comparisons;
}

/** GGN tiles over the subnetwork, diagonal GGN over all weights, and the outputs, in micro-batches. */
function accumulate(network: Network, likelihood: Likelihood, reference: ReferenceCase, indices: Int32Array) {
  const ggn = new GgnAccumulator(indices.length);
  const diagonal = new DiagonalAccumulator(network);
  const outputs: number[] = [];
  const [count] = reference.training.shape;
  const step = microBatchSize(network, indices.length, likelihood.seedCount(network.outputCount));
  for (let start = 0; start < count; start += step) {
    tf.tidy(() => {
      const batch = Math.min(step, count - start);
      const inputs = tf.slice(reference.training, [start], [batch]);
      const tape = network.record(inputs);
      const rows = new Rows(batch, likelihood.seedCount(network.outputCount));
      const seeds = squareRootSeeds(likelihood, tape.outputs);
      ggn.accumulate(jacobianColumns(network, tape, seeds, rows, indices));
      diagonal.accumulate(tape, seeds, rows);
      outputs.push(...tape.outputs.dataSync());
    });
  }
  return { tiles: ggn.finish(), diagonal: diagonal.finish(), outputs };
}

/** Sorted indices for the library, and the place of each of the case's weights among them. */
function subnetworkOf(reference: ReferenceCase, network: Network): { indices: Int32Array; order: Int32Array } {
  const flat = reference.subnetwork.map(([layer, weight, index]) => network.layout.find(layer, weight).offset + index);
  const indices = Int32Array.from(flat).sort();
  const place = new Map([...indices].map((index, position) => [index, position]));
  return { indices, order: Int32Array.from(flat, (index) => place.get(index) ?? -1) };
}

function mapValuesOf(network: Network, indices: Int32Array, order: Int32Array, folder: string): Float64Array {
  const all = new Float64Array(network.layout.size);
  const weights = network.layers.flatMap((layer) => layer.weights);
  network.layout.entries.forEach((entry, i) => all.set(weights[i].value.dataSync(), entry.offset));
  if (order.includes(-1)) throw new Error(`${folder}: the subnetwork names a weight twice`);
  return Float64Array.from(order, (position) => all[indices[position]]);
}

function permute(matrix: Float64Array, order: Int32Array): Float64Array {
  const size = order.length;
  return Float64Array.from({ length: size * size }, (_, i) => matrix[order[Math.floor(i / size)] * size + order[i % size]]);
}

function sorted(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).sort();
}

function relative(got: number, expected: number): number {
  return Math.abs(got - expected) / Math.abs(expected);
}

function relativeFrobenius(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Infinity;
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (got[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}

function largestDifference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = got.length === expected.length ? 0 : Infinity;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(got[i] - expected[i]));
  return largest;
}
