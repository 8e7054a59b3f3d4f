import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';

/** The two files of a tf.js LayersModel, in memory. */
export interface SavedLayersModel {
  /** Content of `model.json`; its weights manifest names one file, `weights.bin`. */
  readonly modelJson: {
    readonly format: 'layers-model';
    readonly generatedBy: string;
    readonly convertedBy: string | null;
    readonly modelTopology: object;
    readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly tf.io.WeightsManifestEntry[] }[];
  };
  /** Content of `weights.bin`: float32, little-endian, in the order of the manifest. */
  readonly weights: Uint8Array;
}

/**
 * A model in the tf.js LayersModel format, without touching files.
 *
 * @param model  Model to save. Borrowed.
 * @returns  What belongs in `model.json` and `weights.bin`.
 */
export async function saveLayersModel(model: tf.LayersModel): Promise<SavedLayersModel> {
  let saved: SavedLayersModel | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      const { modelTopology, weightSpecs, weightData } = artifacts;
      if (!modelTopology || modelTopology instanceof ArrayBuffer || !weightSpecs || !weightData) {
        throw new SublaceError(
          'INTERNAL',
          `save: expected topology and weights of '${model.name}', got ${Object.keys(artifacts).join(', ')}`,
        );
      }
      saved = {
        modelJson: {
          format: 'layers-model',
          generatedBy: `TensorFlow.js tfjs-layers v${tf.version['tfjs-layers']}`,
          convertedBy: null,
          modelTopology,
          weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
        },
        weights: new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)),
      };
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  if (!saved) throw new SublaceError('INTERNAL', `save: expected the save handler of '${model.name}' to run`);
  return saved;
}

/**
 * A trainable model from what {@link saveLayersModel} returns, or from the files of any LayersModel.
 *
 * @param saved  Content of `model.json` and of its weight files, concatenated.
 * @returns  The model. Owned by the caller, who disposes it.
 * @throws SublaceError MODEL_INVALID when tf.js cannot read it.
 */
export async function restoreLayersModel(saved: SavedLayersModel): Promise<tf.LayersModel> {
  const { modelJson, weights } = saved;
  const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength) as ArrayBuffer;
  const weightSpecs = modelJson.weightsManifest.flatMap((group) => group.weights);
  try {
    return await tf.loadLayersModel(tf.io.fromMemory({ modelTopology: modelJson.modelTopology, weightSpecs, weightData }));
  } catch (cause) {
    throw new SublaceError(
      'MODEL_INVALID',
      `model: expected a tf.js LayersModel, got one that does not load: ${(cause as Error).message}`,
      { cause },
    );
  }
}
