import type { Matrix } from '../dense-algebra.ts';
import type { NaiveLayer } from './layer.ts';

/** A chain of layers in double precision: the readable twin of a float32 network with the same weights. */
export class NaiveNetwork {
  readonly layers: readonly NaiveLayer[];
  readonly inputShape: readonly number[];

  /**
   * @param inputShape  Shape of one example.
   * @param layers  In order.
   */
  constructor(inputShape: readonly number[], layers: readonly NaiveLayer[]) {
    this.inputShape = inputShape;
    this.layers = layers;
  }

  /** P. */
  get parameterCount(): number {
    return this.layers.flatMap((layer) => layer.weights).reduce((sum, weight) => sum + weight.values.length, 0);
  }

  /**
   * Outputs of one example.
   *
   * @param input  Flat.
   * @returns  [C]
   */
  forward(input: readonly number[]): number[] {
    return this.layers.reduce<readonly number[]>((x, layer) => layer.forward(x), input) as number[];
  }

  /**
   * Jacobian of one example's outputs in all weights: one backward pass per output.
   *
   * @param input  Flat.
   * @returns  [C, P], weights in layer order, each row-major.
   */
  jacobian(input: readonly number[]): Matrix {
    const inputs: (readonly number[])[] = [input];
    for (const layer of this.layers) inputs.push(layer.forward(inputs[inputs.length - 1]));
    const outputs = inputs[inputs.length - 1];
    return outputs.map((_, c) => {
      let g = outputs.map((__, i) => Number(i === c));
      const parts: number[][] = [];
      for (let i = this.layers.length - 1; i >= 0; i--) {
        const gradients = this.layers[i].backward(inputs[i], g);
        parts.unshift(gradients.weights);
        g = gradients.input;
      }
      return parts.flat();
    });
  }

  /**
   * The same network as a tf.js LayersModel.
   *
   * @returns  Content of model.json, and all weights as float32.
   */
  toLayersModel(): { modelJson: unknown; weights: Uint8Array } {
    const layers = this.layers.map(({ className, config }, i) => ({
      class_name: className,
      config: i === 0 ? { ...config, batch_input_shape: [null, ...this.inputShape] } : config,
    }));
    const weights = this.layers.flatMap((layer) => layer.weights);
    const manifest = weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
    const values = Float32Array.from(weights.flatMap((weight) => weight.values));
    return {
      modelJson: {
        format: 'layers-model',
        modelTopology: { class_name: 'Sequential', config: { name: 'naive', layers } },
        weightsManifest: [{ paths: ['weights.bin'], weights: manifest }],
      },
      weights: new Uint8Array(values.buffer),
    };
  }
}
