import * as tf from '@tensorflow/tfjs';
import type { ModelFiles } from '../model/load-network.ts';

/**
 * A model as files in memory.
 *
 * @param model  The model. Borrowed.
 * @returns  JSON and weights.
 */
export async function filesOf(model: tf.LayersModel): Promise<ModelFiles> {
  let files: ModelFiles | undefined;
  const handler = tf.io.withSaveHandler((artifacts) => {
    const { modelTopology, weightSpecs, weightData } = artifacts;
    const modelJson: unknown = JSON.parse(
      JSON.stringify({ modelTopology, weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }] }),
    );
    files = { modelJson, weights: new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)) };
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
  });
  await model.save(handler);
  if (!files) throw new Error('the model was not saved');
  return files;
}

/**
 * Gives every weight, also biases, gammas and moving statistics, a seeded value that no symmetry hides.
 *
 * @param model  Changed in place.
 * @param seed  Seed.
 */
export function randomiseWeights(model: tf.LayersModel, seed: number): void {
  const values = model.weights.map(({ originalName, shape }, i) => {
    const normal = tf.randomNormal(shape as number[], 0, 0.4, 'float32', seed + i);
    if (originalName.includes('variance') || originalName.includes('gamma')) return tf.add(tf.abs(normal), 0.5);
    return normal;
  });
  model.setWeights(values);
  tf.dispose(values);
}
