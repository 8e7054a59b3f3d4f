import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Normalisation } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import type { LikelihoodKind } from '@sublace/likelihoods';

/** Name of the file that sublace keeps beside a model. */
export const METADATA_NAME = 'sublace.json';

/** What a saved model needs to be used on raw data. */
export interface ModelMetadata {
  readonly formatVersion: 1;
  readonly likelihood: LikelihoodKind;
  /** How raw inputs and targets become the network's. */
  readonly normalisation: Normalisation;
  readonly classCount?: number;
  /** Of regression, in squared normalised target units: one for all outputs or one for each. */
  readonly noiseVariance?: number | readonly number[];
  /** What it was trained on. */
  readonly data?: string;
  /** The part of the training data that was held out. */
  readonly validation?: { readonly fraction: number; readonly seed: number };
  /** How it was trained, for the record. */
  readonly training?: Readonly<Record<string, unknown>>;
}

/**
 * Reads the metadata beside a model.
 *
 * @param folder  The model's folder.
 * @returns  The metadata, or undefined for a model made elsewhere.
 * @throws {SublaceError} MODEL_INVALID when the file is there but cannot be used.
 */
export function readModelMetadata(folder: string): ModelMetadata | undefined {
  const file = join(folder, METADATA_NAME);
  if (!existsSync(file)) return undefined;
  let metadata: ModelMetadata;
  try {
    metadata = JSON.parse(readFileSync(file, 'utf8')) as ModelMetadata;
  } catch (error) {
    throw new SublaceError('MODEL_INVALID', `${file}: expected JSON, got ${error instanceof Error ? error.message : 'something else'}`, {
      cause: error,
    });
  }
  if (metadata.formatVersion !== 1) {
    throw new SublaceError(
      'MODEL_INVALID',
      `${file}: expected formatVersion 1, got ${JSON.stringify(metadata.formatVersion)}; it was written by another version`,
    );
  }
  const { inputMean, inputStd } = metadata.normalisation;
  if (![inputMean, inputStd].every((values) => Array.isArray(values) && values.every(Number.isFinite)) || inputStd.includes(0)) {
    throw new SublaceError(
      'MODEL_INVALID',
      `${file}: expected finite normalisation with non-zero deviations, got ${JSON.stringify(metadata.normalisation)}`,
    );
  }
  return metadata;
}
