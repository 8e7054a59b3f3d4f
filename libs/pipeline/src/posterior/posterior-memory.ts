import { InverseFactor, TruncatedCovariance } from '@sublace/posterior';
import { tilesOfLowerTriangle } from '@sublace/partials';
import { graphSizes } from '../predict/compiled-outputs.ts';
import type { PosteriorManifest } from './posterior-manifest.ts';
import type { CovariancePath } from './read-posterior.ts';

/** Largest S whose factor is inverted for a prepared model: 0.15 GiB, and a minute's work. */
export const INVERSE_SIZE_MAX = 8192;

/** Inputs of a batch that a model is prepared for. */
export const BATCH_DEFAULT = 64;

/** What the runtime keeps of a graph beside its constants, measured with LeNet-5: 16 graphs in 37 MB. */
const GRAPH_BYTES = 2.5e6;

/** Signals and columns of a backward pass never take more (`rowsPerPass` of `@sublace/curvature`), unless a single row does. */
const PASS_BYTES = 64 * 2 ** 20;

/** What is known of a posterior before it is loaded. */
export type PosteriorSizes = Pick<PosteriorManifest, 'model' | 'subnetwork' | 'truncation'>;

/** How a posterior is going to be used. */
export interface PosteriorUse {
  /** Default `exact`. */
  readonly covariance?: CovariancePath;
  /** Whether it is prepared for small requests. Default true. */
  readonly isPrepared?: boolean;
  /** Largest batch. Default 64. */
  readonly batchMax?: number;
}

/** Bytes in the runtime, counted from sizes. */
export interface PosteriorMemory {
  /** While the model is loaded: weights, factor or eigenvectors, the inverse of the factor, graphs. */
  readonly heldBytes: number;
  /** More while a batch is computed. */
  readonly batchBytes: number;
  /** More while it is opened: what is read and not yet in the runtime. */
  readonly openingBytes: number;
  /** At most: held, and the larger of the two others. */
  readonly peakBytes: number;
}

/**
 * What a posterior takes while it is loaded, known from its manifest. Not counted: the process with its runtime, some 450 MB whatever is loaded.
 *
 * @param manifest  Of the posterior.
 * @param use  How it is going to be used.
 * @returns  Bytes, meant as an upper estimate.
 */
export function memoryOfPosterior(
  { model, subnetwork, truncation }: PosteriorSizes,
  { covariance = 'exact', isPrepared = true, batchMax = BATCH_DEFAULT }: PosteriorUse = {},
): PosteriorMemory {
  const { size } = subnetwork;
  const isExact = covariance === 'exact';
  const weights = 4 * model.parameterCount;
  const vectors = (4 + 3 * 8) * size;
  const rank = truncation?.rank ?? size;
  const factor = isExact ? 8 * tilesOfLowerTriangle(size).reduce((sum, { rows, columns }) => sum + rows * columns, 0) : 0;
  const inverse = isExact && isPrepared && size <= INVERSE_SIZE_MAX ? InverseFactor.bytesOf(size) : 0;
  const eigenbasis = isExact ? 0 : TruncatedCovariance.bytesOf(size, rank, truncation?.form);
  const graphs = isPrepared ? 2 * graphSizes(batchMax).length * GRAPH_BYTES : 0;
  const rows = batchMax * model.outputCount;
  const heldBytes = weights + vectors + factor + inverse + eigenbasis + graphs;
  // Roots and what they are put together of, beside the pass that made the columns; the covariances of the outputs.
  const batchBytes = PASS_BYTES + 2 * 4 * rows * (size + (isExact ? 0 : rank)) + 4 * batchMax * model.outputCount ** 2;
  const tileRow = 8 * 1024 * Math.min(size, 4096);
  const openingBytes = weights + (isExact ? Math.max(tileRow, inverse) : 4 * rank * size);
  return { heldBytes, batchBytes, openingBytes, peakBytes: heldBytes + Math.max(batchBytes, openingBytes) };
}
