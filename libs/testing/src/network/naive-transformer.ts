import type { TestRandom } from '../random.ts';
import { flattenLayer } from './activation-layer.ts';
import { randomDense, randomSequenceDense } from './dense-layer.ts';
import { dotLayer } from './dot-layer.ts';
import { elementwiseLayer, NAIVE_ACTIVATIONS, softmaxLayer } from './elementwise-layers.ts';
import type { NaiveLayer, NaiveMergeLayer } from './layer.ts';
import { addLayer, concatenateLayer } from './merge-layers.ts';
import { NaiveNetwork, type NaiveNode } from './naive-network.ts';
import { randomLayerNormalization } from './normalisation-layers.ts';
import { poolingLayer } from './pooling-layers.ts';

/** Sizes of a transformer classifier. */
export interface TransformerSizes {
  /** Of one example: images [H, W, ch], whose rows are the tokens, or sequences [T, F]. */
  readonly inputShape: readonly number[];
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly outputs: number;
}

const WHOLE = { hasScale: true, hasShift: true };

/**
 * The twin of the transformer classifier that `@sublace/training` builds, layer by layer and with its names, with random weights.
 *
 * @param random  Where from.
 * @param sizes  Sizes.
 * @returns  The network.
 */
export function naiveTransformer(random: TestRandom, { inputShape, width, depth, heads, outputs }: TransformerSizes): NaiveNetwork {
  const [tokens, ...rest] = inputShape;
  const features = rest.reduce((product, extent) => product * extent, 1);
  const perHead = width / heads;
  const nodes: NaiveNode[] = [];
  const add = (layer: NaiveLayer | NaiveMergeLayer, ...inputs: number[]): number => nodes.push({ layer, inputs }) - 1;
  const dense = (name: string, from: number, inputCount: number, outputCount: number, hasBias = true): number =>
    add(randomSequenceDense(random, name, tokens, inputCount, outputCount, hasBias), from);
  const norm = (name: string, from: number): number => add(randomLayerNormalization(random, name, [tokens, width], [1], WHOLE), from);

  const head = (name: string, from: number): number => {
    const query = dense(`${name}_query`, from, width, perHead);
    const key = dense(`${name}_key`, from, width, perHead, false);
    const value = dense(`${name}_value`, from, width, perHead);
    const scale = 1 / Math.sqrt(perHead);
    const scaled = add(
      elementwiseLayer('Rescaling', { name: `${name}_scale`, scale, offset: 0 }, (x) => x * scale),
      query,
    );
    const steps = { shape: [tokens, perHead], axis: 1 };
    const scores = add(dotLayer(`${name}_scores`, steps, steps, false), scaled, key);
    const softmax = softmaxLayer([tokens, tokens], [1], 'Softmax');
    const attention = add({ ...softmax, config: { ...softmax.config, name: `${name}_softmax` } }, scores);
    return add(dotLayer(`${name}_mix`, { shape: [tokens, tokens], axis: 1 }, { ...steps, axis: 0 }, false), attention, value);
  };

  const isImage = rest.length > 1;
  const asTokens = { ...flattenLayer('tokens'), className: 'Reshape', config: { name: 'tokens', target_shape: [tokens, features] } };
  const embedded = dense('embedding', isImage ? add(asTokens, -1) : -1, features, width);
  let x = add(randomLayerNormalization(random, 'positions', [tokens, width], [0, 1], WHOLE), embedded);
  for (let block = 1; block <= depth; block++) {
    const name = `block${block}`;
    const normed = norm(`${name}_norm1`, x);
    const parts = Array.from({ length: heads }, (_, h) => head(`${name}_head${h + 1}`, normed));
    const shapes = parts.map(() => [tokens, perHead]);
    const joined = heads > 1 ? add(concatenateLayer(`${name}_heads`, shapes, 1), ...parts) : parts[0];
    const attended = add(addLayer(`${name}_add1`), x, dense(`${name}_projection`, joined, width, width));
    const hidden = dense(`${name}_mlp1`, norm(`${name}_norm2`, attended), width, 4 * width);
    const active = add(elementwiseLayer('Activation', { name: `${name}_gelu`, activation: 'gelu' }, NAIVE_ACTIVATIONS['gelu']), hidden);
    x = add(addLayer(`${name}_add2`), attended, dense(`${name}_mlp2`, active, 4 * width, width));
  }
  const window = [1, tokens] as const;
  const pool = poolingLayer(
    'Average',
    1,
    { inputShape: [1, tokens, width], kernelSize: window, strides: window, padding: 'valid', dilations: [1, 1] },
    { className: 'GlobalAveragePooling1D', options: {} },
  );
  add(randomDense(random, 'output', width, outputs), add(pool, norm('norm', x)));
  return new NaiveNetwork([inputShape], nodes);
}
