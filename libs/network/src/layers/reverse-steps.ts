import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal } from './layer.ts';

/** Steps [B, T, ...] from the last to the first. */
export class ReverseSteps implements Layer {
  readonly className = 'Bidirectional';
  readonly name: string;
  readonly weights = [];

  constructor(name: string) {
    this.name = name;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    return { inputs, output: tf.reverse(inputs[0], 1), saved: [] };
  }

  backward(_: LayerTape, { gradient }: Signal): tf.Tensor[] {
    return [tf.reverse(gradient, 1)];
  }
}
