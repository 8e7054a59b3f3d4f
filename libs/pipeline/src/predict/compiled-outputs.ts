import { compileFunction, type CompiledFunction } from '@sublace/backend';
import { identitySeeds, jacobianColumns, microBatchSize, rowsPerPass } from '@sublace/curvature';
import { normaliseInputs, type Normalisation } from '@sublace/data';
import { Rows, type Network } from '@sublace/network';
import type { WeightCovariance } from '@sublace/posterior';
import { covarianceOfRoots, varianceOfRoots } from '@sublace/predictive';
import type * as tf from '@tensorflow/tfjs';
import type { MomentsNeeded } from '../families/family.ts';
import type { LinearisedOutputs } from './linearised-outputs.ts';
import { withTemporaryFile } from './with-temporary-file.ts';

/** Largest batch that has a graph; more inputs go through it several times. */
const BATCH_MAX = 64;

/** Sizes of batches with a graph of their own: others are filled up to the next. */
const BATCH_SIZES = [1, 2, 4, 8, 12, 16, 24, 32, 48, BATCH_MAX];

/**
 * Sizes of the graphs for batches up to a size.
 *
 * @param batchMax  Largest number of inputs at once.
 * @returns  Ascending; the last one holds the batch, unless it has to be cut.
 */
export function graphSizes(batchMax: number): number[] {
  const largest = BATCH_SIZES.find((size) => size >= batchMax) ?? BATCH_MAX;
  return BATCH_SIZES.filter((size) => size <= largest);
}

/** Moments of outputs by TensorFlow graphs, one for each size of batch and kind of moments, made when they are first needed. */
export class CompiledOutputs {
  readonly #network: Network;
  readonly #covariance: WeightCovariance;
  readonly #indices: Int32Array;
  readonly #normalisation: Normalisation;
  readonly #sizes: readonly number[];
  /** Null where a graph cannot be. */
  readonly #graphs = new Map<string, CompiledFunction | null>();

  /**
   * @param network  The network. Borrowed, as the rest.
   * @param covariance  Covariance of the weights.
   * @param indices  Flat positions of the S weights.
   * @param normalisation  Of raw inputs, to have an example of them.
   */
  constructor(network: Network, covariance: WeightCovariance, indices: Int32Array, normalisation: Normalisation) {
    this.#network = network;
    this.#covariance = covariance;
    this.#indices = indices;
    this.#normalisation = normalisation;
    const { outputCount } = network;
    // With many classes the rows of a single example are cut into several passes: operations one by one are nothing beside them.
    const most = outputCount > rowsPerPass(network, indices.length) ? 0 : microBatchSize(network, indices.length, outputCount);
    this.#sizes = BATCH_SIZES.filter((size) => size <= most);
  }

  /** Graphs that there are. */
  get graphCount(): number {
    return [...this.#graphs.values()].filter((graph) => graph !== null).length;
  }

  /** Sizes of batches that have a graph by now, ascending. */
  get madeSizes(): number[] {
    const made = [...this.#graphs].filter(([, graph]) => graph !== null).map(([key]) => Number(key.split(' ')[1]));
    return [...new Set(made)].sort((a, b) => a - b);
  }

  /** Bytes of the tensors in the graphs. */
  get bytes(): number {
    return [...this.#graphs.values()].reduce((sum, graph) => sum + (graph?.constantBytes ?? 0), 0);
  }

  /**
   * Makes the graphs of all batches up to a size, one after the other.
   *
   * @param batchMax  Largest number of inputs at once.
   * @param kinds  Kinds of moments.
   * @param pause  Called between graphs, so that others can be served.
   */
  async prepare(batchMax: number, kinds: readonly MomentsNeeded[], pause: () => Promise<void>): Promise<void> {
    const wanted = new Set(graphSizes(batchMax));
    for (const kind of kinds) {
      for (const size of this.#sizes.filter((each) => wanted.has(each))) {
        this.#graph(size, kind);
        await pause();
      }
    }
  }

  /**
   * Moments of the outputs.
   *
   * @param inputs  [N, ...inputShape] row-major, normalised.
   * @param count  N.
   * @param kind  Which moments.
   * @returns  The moments; undefined where there can be no graph, or it failed: operations one by one will say why.
   */
  moments(inputs: Float32Array, count: number, kind: MomentsNeeded): LinearisedOutputs | undefined {
    const { outputCount } = this.#network;
    const width = inputs.length / count;
    const mean = new Float64Array(count * outputCount);
    const variance = new Float64Array(kind === 'mean' ? 0 : count * outputCount);
    const covariance = kind === 'covariance' ? new Float64Array(count * outputCount ** 2) : undefined;
    const largest = this.#sizes.at(-1) ?? 0;
    for (let first = 0; first < count; first += largest) {
      const own = Math.min(largest, count - first);
      const size = this.#sizes.find((each) => each >= own);
      const graph = size === undefined ? null : this.#graph(size, kind);
      if (!graph || size === undefined) return undefined;
      let results: Float32Array[];
      try {
        results = graph.run(filledUp(inputs.subarray(first * width, (first + own) * width), size, width));
      } catch {
        return undefined;
      }
      const [outputs, second] = results;
      mean.set(outputs.subarray(0, own * outputCount), first * outputCount);
      if (kind === 'variance') variance.set(second.subarray(0, own * outputCount), first * outputCount);
      if (!covariance) continue;
      covariance.set(second.subarray(0, own * outputCount ** 2), first * outputCount ** 2);
      for (let i = 0; i < own * outputCount; i++) variance[first * outputCount + i] = second[i * outputCount + (i % outputCount)];
    }
    return { mean, variance, ...(covariance && { covariance }) };
  }

  /** Frees the graphs. */
  dispose(): void {
    for (const graph of this.#graphs.values()) graph?.dispose();
    this.#graphs.clear();
  }

  #graph(size: number, kind: MomentsNeeded): CompiledFunction | null {
    const key = `${kind} ${size}`;
    const known = this.#graphs.get(key);
    if (known !== undefined) return known;
    const shape = [size, ...this.#network.inputShape];
    const length = shape.reduce((product, extent) => product * extent, 1);
    // Inputs without any pattern tell most; a model that takes them for numbers of words accepts zeros only.
    const unlike = Float32Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1)));
    const zeros = normaliseInputs(new Float32Array(length), this.#normalisation);
    const act = (input: tf.Tensor): tf.Tensor[] => this.#outputs(input, size, kind);
    const graph =
      [unlike, zeros].reduce<CompiledFunction | undefined>(
        (found, example) => found ?? compileFunction({ shape, example, withFile: withTemporaryFile }, act),
        undefined,
      ) ?? null;
    this.#graphs.set(key, graph);
    return graph;
  }

  #outputs(input: tf.Tensor, size: number, kind: MomentsNeeded): tf.Tensor[] {
    const { outputCount } = this.#network;
    if (kind === 'mean') return [this.#network.forward(input)];
    const tape = this.#network.record(input);
    const columns = jacobianColumns(this.#network, tape, identitySeeds(size, outputCount), new Rows(size, outputCount), this.#indices);
    const roots = this.#covariance.roots(columns);
    return [tape.outputs, kind === 'variance' ? varianceOfRoots(roots) : covarianceOfRoots(roots, outputCount)];
  }
}

/** As many inputs as a graph takes: the last one again and again, so that nothing odd is computed. */
function filledUp(inputs: Float32Array, size: number, width: number): Float32Array {
  if (inputs.length === size * width) return inputs;
  const filled = new Float32Array(size * width);
  filled.set(inputs);
  const last = inputs.subarray(inputs.length - width);
  for (let start = inputs.length; start < filled.length; start += width) filled.set(last, start);
  return filled;
}
