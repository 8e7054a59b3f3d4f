import { SublaceError } from '@sublace/errors';
import type { ParameterLayout } from '@sublace/network';
import { collectSwag, restoreLayersModel, type Examples, type SavedLayersModel, type SwagOptions, type TrainingProgress } from '@sublace/training'; // prettier-ignore
import { readFitData, type FitContext, type FitDataSpec } from '../fit/fit-context.ts';
import { openModel } from '../model/open-model.ts';
import { writeSwag, type SwagRecord } from './swag-file.ts';
import { withoutSoftmax } from './without-softmax.ts';

/** Which model to take snapshots of, on what data. */
export interface ModelSwagOptions {
  /** Folder of the model; `swag.safetensors` is written into it. */
  readonly model: string;
  /** Training data SPEC. */
  readonly data: string;
  /** Default 40. */
  readonly snapshots?: number;
  /** Default 0.01. */
  readonly learningRate?: number;
  /** Default 0.9. */
  readonly momentum?: number;
  /** Default: what the model was trained with, else 3e-4. */
  readonly weightDecay?: number;
  /** Default: what the model was trained with, else 128. */
  readonly batchSize?: number;
  /** Default 0. */
  readonly seed?: number;
  readonly likelihood?: FitDataSpec['likelihood'];
  readonly normalisation?: FitDataSpec['normalisation'];
}

/**
 * Takes SWAG snapshots of a saved model's weights and writes their variances beside it, for the rule `swag-variance`. Of the training data the model's own
 * validation part is left out.
 *
 * @param options  What to run on.
 * @param hooks  Progress after each step, and a signal that stops.
 * @param hooks.onProgress  Called after each step.
 * @param hooks.signal  Stops.
 * @returns  What was written.
 * @throws {SublaceError} MODEL_INVALID, MODEL_UNSUPPORTED, DATA_INVALID, INVALID_ARGUMENT, NUMERICAL_FAILURE, OUTPUT_UNWRITABLE or CANCELLED.
 */
export async function collectModelSwag(
  options: ModelSwagOptions,
  hooks: { onProgress?: (progress: TrainingProgress) => void; signal?: AbortSignal } = {},
): Promise<SwagRecord> {
  const { likelihood = 'auto', normalisation = 'none', data } = options;
  const opened = openModel(options.model);
  try {
    const { network, files, digest, metadata } = opened;
    const fitData = await readFitData(opened, { data, likelihood, normalisation, validation: 'as-trained' });
    const swag: SwagOptions = {
      snapshots: options.snapshots ?? 40,
      learningRate: options.learningRate ?? 0.01,
      momentum: options.momentum ?? 0.9,
      weightDecay: options.weightDecay ?? trainedWith(metadata?.training, 'weightDecay') ?? 3e-4,
      batchSize: options.batchSize ?? trainedWith(metadata?.training, 'batchSize') ?? 128,
      seed: options.seed ?? 0,
      ...(fitData.likelihood === 'heteroscedastic' && { noise: 'predicted' }),
    };
    const modelJson = network.outputActivation !== 'linear' ? withoutSoftmax(files.modelJson) : files.modelJson;
    const model = await restoreLayersModel({ modelJson, weights: files.weights } as SavedLayersModel);
    try {
      const { variances, unmovedCount } = await collectSwag(model, examplesOf(fitData), swag, hooks);
      const known = model.weights.map((weight) => weight.originalName);
      return await writeSwag(options.model, inLayoutOrder(network.layout, variances, known), {
        formatVersion: 1,
        modelDigest: digest,
        data,
        exampleCount: fitData.training.count,
        options: swag,
        unmovedCount,
      });
    } finally {
      model.dispose();
    }
  } finally {
    opened.dispose();
  }
}

function trainedWith(training: Readonly<Record<string, unknown>> | undefined, option: string): number | undefined {
  const value = training?.[option];
  return typeof value === 'number' ? value : undefined;
}

function examplesOf({ model, likelihood, training }: FitContext): Examples {
  const { inputShape, outputCount } = model.network;
  const { count, inputs, targets } = training;
  return {
    count,
    inputShape,
    inputs,
    targets:
      likelihood === 'classification'
        ? { kind: 'labels', labels: targets as Int32Array, classCount: outputCount }
        : { kind: likelihood === 'binary' ? 'flags' : 'values', values: targets as Float32Array, width: targets.length / count },
  };
}

/** A vector over all weights; zero for those of frozen layers, which no snapshot moves. */
function inLayoutOrder(layout: ParameterLayout, values: ReadonlyMap<string, Float64Array>, known: readonly string[]): Float32Array {
  const all = new Float32Array(layout.size);
  for (const { layer, weight, offset, size } of layout.entries) {
    const wanted = `${layer}/${weight}`;
    const isWanted = (name: string): boolean => name === wanted || name.endsWith(`/${wanted}`);
    const found = [...values].find(([name]) => isWanted(name))?.[1];
    if (found?.length === size) all.set(found, offset);
    else if (found || !known.some(isWanted)) {
      throw new SublaceError('MODEL_UNSUPPORTED', `swag: expected a trainable weight '${wanted}' of ${size} elements, got ${found?.length ?? 'none'}`); // prettier-ignore
    }
  }
  return all;
}
