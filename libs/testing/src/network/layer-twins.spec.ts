import { describe, expect, it } from 'vitest';
import {
  croppingLayer,
  permuteLayer,
  poolingLayer,
  randomBatchNormalization,
  randomConvolution,
  randomDepthwise,
  randomLayerNormalization,
  randomPReLU,
  randomSeparable,
  randomSequenceDense,
  randomTransposedConvolution,
  repeatVectorLayer,
  softmaxLayer,
  testRandom,
  upSamplingLayer,
  zeroPaddingLayer,
  type ConvolutionGeometry,
  type NaiveLayer,
} from '../index.ts';

const random = testRandom(5);

const geometry: ConvolutionGeometry = {
  inputShape: [5, 6, 4],
  kernelSize: [3, 2],
  strides: [1, 1],
  padding: 'same',
  dilations: [1, 2],
  groups: 2,
  filters: 4,
  hasBias: true,
};
const sequence: ConvolutionGeometry = { ...geometry, inputShape: [1, 6, 4], kernelSize: [1, 3], strides: [1, 2], dilations: [1, 1] };

/** Each twin with the shape of its input. */
const TWINS: readonly (readonly [string, NaiveLayer, readonly number[]])[] = [
  ['dense on sequences', randomSequenceDense(random, 'a', 3, 2, 4), [3, 2]],
  ['convolution', randomConvolution(random, 'a', 2, geometry), geometry.inputShape],
  ['causal convolution', randomConvolution(random, 'a', 1, { ...sequence, padding: 'causal' }), [6, 4]],
  ['depthwise convolution', randomDepthwise(random, 'a', 2, { ...geometry, filters: 2 }), geometry.inputShape],
  ['separable convolution', randomSeparable(random, 'a', 1, sequence, 2), [6, 4]],
  ['transposed convolution', randomTransposedConvolution(random, 'a', { ...geometry, padding: 'valid', strides: [2, 3] }), [5, 6, 4]],
  ['maximum pooling', poolingLayer('Max', 2, { ...geometry, strides: [2, 1], dilations: [1, 1] }), geometry.inputShape],
  ['average pooling', poolingLayer('Average', 2, { ...geometry, strides: [2, 1], dilations: [1, 1] }), geometry.inputShape],
  ['layer normalisation', randomLayerNormalization(random, 'a', [3, 2, 4], [0, 2], { hasScale: true, hasShift: true }), [3, 2, 4]],
  ['batch normalisation', randomBatchNormalization(random, 'a', 4, { hasScale: true, hasShift: true }), [3, 4]],
  [
    'zero padding',
    zeroPaddingLayer(
      [3, 2, 2],
      [
        [1, 2],
        [0, 1],
      ],
    ),
    [3, 2, 2],
  ],
  [
    'cropping',
    croppingLayer(
      [4, 5, 2],
      [
        [1, 2],
        [0, 1],
      ],
    ),
    [4, 5, 2],
  ],
  ['repeating up-sampling', upSamplingLayer([3, 2, 2], [2, 3], 'nearest'), [3, 2, 2]],
  ['bilinear up-sampling', upSamplingLayer([3, 2, 2], [2, 3], 'bilinear'), [3, 2, 2]],
  ['permutation', permuteLayer([3, 2, 4], [2, 0, 1]), [3, 2, 4]],
  ['repetition', repeatVectorLayer(3, 4), [3]],
  ['learned slopes', randomPReLU(random, 'a', [3, 2, 4], [0]), [3, 2, 4]],
  ['softmax', softmaxLayer([3, 4, 2], [0, 2], 'Softmax'), [3, 4, 2]],
  ['logarithm of softmax', softmaxLayer([3, 4], [1], 'Activation'), [3, 4]],
];

/** Central differences of a function of some numbers, which are changed in place and put back; one entry per number. */
function differences(values: number[], value: () => number, step = 1e-5): number[] {
  return values.map((before, i) => {
    values[i] = before + step;
    const above = value();
    values[i] = before - step;
    const below = value();
    values[i] = before;
    return (above - below) / (2 * step);
  });
}

describe.each(TWINS)('%s', (_, layer, inputShape) => {
  it('has the gradients in its weights and in its input that central differences of its outputs give', () => {
    const input = random.normals(inputShape.reduce((size, extent) => size * extent, 1));
    const g = random.normals(layer.forward(input).length);
    const value = (): number => layer.forward(input).reduce((total, output, i) => total + output * g[i], 0);
    const gradients = layer.backward(input, g);
    const tolerance = { relative: 1e-6, scaled: 1e-7 }; // error of the differences
    expect(gradients.input).toBeAllclose(differences(input, value), tolerance);
    expect(gradients.weights).toBeAllclose(
      layer.weights.flatMap(({ values }) => differences(values, value)),
      tolerance,
    );
  });
});
