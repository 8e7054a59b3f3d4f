/** Makes a model with random weights, and noise for it: `make-random-model.ts NAME FOLDER`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { saveModel } from '@sublace/pipeline';
import { writeSafetensors } from '@sublace/tensor-files';
import { saveLayersModel } from '@sublace/training';
import * as tf from '@tensorflow/tfjs';
import { RANDOM_MODELS, type RandomModel, type RandomModelRecipe } from './random-models.ts';
import { NOISE_FILE } from './random-weights.ts';

/** Examples from which the spread of the logits is taken. */
const SCALED_BY = 16;

const [name, folder] = process.argv.slice(2);
await startBackend({ threads: 1 });
const { build, inputShape, classCount, logitDeviation, normalisation, noiseCount }: RandomModelRecipe = RANDOM_MODELS[name as RandomModel];
const model = build();
const { inputMean, inputStd } = normalisation;
const noise = tf.randomNormal([noiseCount, ...inputShape], inputMean[0], inputStd[0], 'float32', 1);

// The last layer is linear, so its weights scale the logits.
const output = model.layers[model.layers.length - 1];
tf.tidy(() => {
  const examples = tf.slice(noise, 0, SCALED_BY);
  const logits = model.predict(tf.div(tf.sub(examples, inputMean[0]), inputStd[0])) as tf.Tensor;
  const factor = tf.div(logitDeviation, tf.sqrt(tf.moments(logits).variance));
  output.setWeights(output.getWeights().map((weight) => tf.mul(weight, factor)));
});

mkdirSync(folder, { recursive: true });
writeFileSync(
  join(folder, NOISE_FILE),
  writeSafetensors(
    new Map([
      ['x', { dtype: 'F32', shape: [noiseCount, ...inputShape], data: noise.dataSync<'float32'>() }],
      ['y', { dtype: 'I32', shape: [noiseCount], data: Int32Array.from({ length: noiseCount }, (_, n) => n % classCount) }],
    ]),
  ),
);
saveModel(folder, await saveLayersModel(model), { formatVersion: 1, likelihood: 'classification', normalisation, classCount });
