import { startBackend } from '@sublace/backend';
import '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { filesOf } from '../testdata/layers-models.ts';
import { loadNetwork, type ModelFiles } from './load-network.ts';

/** y = x * scale, elementwise, plus what a variant adds. */
class Scale extends tf.layers.Layer {
  static readonly className: string = 'Scale';
  protected scale: tf.LayerVariable | undefined;

  override build(inputShape: tf.Shape): void {
    this.scale = this.addWeight('scale', [inputShape[inputShape.length - 1] as number], 'float32', tf.initializers.ones());
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.mul(Array.isArray(inputs) ? inputs[0] : inputs, (this.scale as tf.LayerVariable).read()));
  }
}

/** Subtracts the mean over the batch. */
class BatchCentred extends Scale {
  static override readonly className = 'BatchCentred';
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.sub(super.call(inputs), tf.mean(super.call(inputs), 0)));
  }
}

/** Its weights have no path of gradients to the output. */
class Cut extends Scale {
  static override readonly className = 'Cut';
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const output = super.call(inputs);
      return tf.tensor(output.dataSync(), output.shape);
    });
  }
}

/** Not registered. */
class Unknown extends Scale {
  static override readonly className = 'Unknown';
}

beforeAll(async () => {
  await startBackend({ threads: 1 });
  for (const cls of [Scale, BatchCentred, Cut]) tf.serialization.registerClass(cls as never);
});

async function filesWith(layer: tf.layers.Layer, inputShape = [3]): Promise<{ model: tf.LayersModel; files: ModelFiles }> {
  const input = tf.input({ shape: inputShape });
  const hidden = layer.apply(input) as tf.SymbolicTensor;
  const flat = hidden.shape.length === 2 ? hidden : (tf.layers.flatten().apply(hidden) as tf.SymbolicTensor);
  const model = tf.model({ inputs: input, outputs: tf.layers.dense({ units: 2, name: 'head' }).apply(flat) as tf.SymbolicTensor });
  return { model, files: await filesOf(model) };
}

describe('layers without a rule', () => {
  it('may be classes that the program registered; the network says once per class that they are slow, and frees them', async () => {
    const { model, files } = await filesWith(new Scale({ name: 'scale' }));
    const before = tf.memory().numTensors;
    const network = loadNetwork(files);
    expect(network.layout.entries.map(({ layer, weight, className }) => `${layer}/${weight} ${className}`)).toEqual([
      'scale/scale Scale',
      'head/kernel Dense',
      'head/bias Dense',
    ]);
    expect(network.notes).toEqual([
      'Scale (scale) has no rule of its own and is differentiated by tf.js, one row at a time: right, but slow',
    ]);
    const input = tf.tensor2d([[1, -2, 3]]);
    const [outputs, expected] = [network.forward(input), model.predict(input) as tf.Tensor];
    expect(outputs.dataSync()).toBeAllclose(expected.dataSync());
    tf.dispose([input, outputs, expected]);
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(loadNetwork((await filesWith(tf.layers.dense({ units: 2 }))).files).notes).toEqual([]);
  });

  it.each<[string, () => tf.layers.Layer]>([
    ['by a rule', () => tf.layers.lstm({ units: 2, name: 'recurrent' })],
    ['by tf.js', () => tf.layers.rnn({ cell: tf.layers.lstmCell({ units: 2 }), name: 'recurrent' })],
  ])('find their weights also where Keras puts the cell of a recurrent layer between, %s', async (_, layer) => {
    const { files } = await filesWith(layer(), [4, 3]);
    const expected = loadNetwork(files).layers[0].weights.map(({ value }) => [...value.dataSync()]);
    const manifest = (files.modelJson as { weightsManifest: { weights: { name: string }[] }[] }).weightsManifest[0].weights;
    for (const weight of manifest) if (weight.name.startsWith('recurrent')) weight.name = weight.name.replace(/(\w+)$/, 'lstm_cell_3/$1');
    expect(loadNetwork(files).layers[0].weights.map(({ value }) => [...value.dataSync()])).toEqual(expected);
  });

  it.each<[string, () => tf.layers.Layer, number[], RegExp]>([
    [
      'a class that nobody registered',
      () => new Unknown({ name: 'odd' }),
      [3],
      /layer 'odd' of class Unknown is not supported: it has no rule here, and tf.js knows no class of that name \(register it with/,
    ],
    [
      'a layer that mixes examples',
      () => new BatchCentred({ name: 'odd' }),
      [3],
      /layer 'odd' \(BatchCentred\): expected each output to depend on its own example only/,
    ],
    [
      'a layer that tf.js cannot differentiate',
      () => new Cut({ name: 'odd' }),
      [3],
      /layer 'odd' \(Cut\): tf.js cannot differentiate it in its weights: Cannot find a connection between any variable/,
    ],
    [
      'what belongs before the model',
      () => tf.layers.resizing({ height: 2, width: 2, name: 'odd' }),
      [4, 4, 1],
      /layer 'odd' \(Resizing\): resize the data/,
    ],
    ['masking', () => tf.layers.masking({ name: 'odd' }), [4, 3], /layer 'odd' \(Masking\): masks are not supported/],
  ])('refuse %s, by name', async (_, layer, shape, message) => {
    const { files } = await filesWith(layer(), shape);
    const before = tf.memory().numTensors;
    expect(() => loadNetwork(files)).toThrow(expect.objectContaining({ code: 'MODEL_UNSUPPORTED' }));
    expect(() => loadNetwork(files)).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuse a transposed convolution over three dimensions, which tf.js does not differentiate', async () => {
    // tf.js itself leaves the tensors of a gradient that fails half-way.
    const { files } = await filesWith(tf.layers.conv3dTranspose({ filters: 1, kernelSize: 1, name: 'odd' }), [2, 2, 2, 1]);
    expect(() => loadNetwork(files)).toThrow("layer 'odd' (Conv3DTranspose): tf.js cannot differentiate it in its weights");
  });

  it('refuse a maximum over three dimensions on WebAssembly, which gets it wrong', async () => {
    const { files } = await filesWith(tf.layers.maxPooling3d({ poolSize: 1, name: 'odd' }), [2, 2, 2, 1]);
    if (tf.getBackend() === 'wasm') expect(() => loadNetwork(files)).toThrow("layer 'odd' (MaxPooling3D): the WebAssembly runtime");
    else expect(loadNetwork(files).outputCount).toBe(2);
  });

  it('refuse a state that is carried over', async () => {
    const input = tf.input({ batchShape: [1, 4, 3] });
    const steps = tf.layers.lstm({ units: 2, stateful: true, name: 'recurrent' }).apply(input) as tf.SymbolicTensor;
    const files = await filesOf(tf.model({ inputs: input, outputs: steps }));
    expect(() => loadNetwork(files)).toThrow("layer 'recurrent' (LSTM): stateful: expected false, got true");
  });
});
