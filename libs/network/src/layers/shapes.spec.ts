import { startBackend } from '@sublace/backend';
import {
  croppingLayer,
  identityLayer,
  permuteLayer,
  repeatVectorLayer,
  testRandom,
  upSamplingLayer,
  zeroPaddingLayer,
} from '@sublace/testing';
import fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import { expectAgreement } from '../testdata/twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const RUNS = { numRuns: 20 };

const extent = fc.integer({ min: 1, max: 4 });
const margin = fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 }));

/** One axis of positions or two, each with something before and after it; and channels. */
const framed = fc
  .record({ axes: fc.array(fc.tuple(extent, margin), { minLength: 1, maxLength: 2 }), channels: extent })
  .map(({ axes, channels }) => ({ inner: [...axes.map(([size]) => size), channels], margins: axes.map(([, around]) => around) }));

describe('layers that only move numbers', () => {
  it('ZeroPadding agrees with its twin on sequences and on images', () => {
    fc.assert(
      fc.property(fc.nat(), framed, (seed, { inner, margins }) => {
        expectAgreement(testRandom(seed), zeroPaddingLayer(inner, margins), inner);
      }),
      RUNS,
    );
  });

  it('Cropping agrees with its twin on sequences and on images', () => {
    fc.assert(
      fc.property(fc.nat(), framed, (seed, { inner, margins }) => {
        const outer = inner.map((size, axis) => size + (margins[axis]?.[0] ?? 0) + (margins[axis]?.[1] ?? 0));
        expectAgreement(testRandom(seed), croppingLayer(outer, margins), outer);
      }),
      RUNS,
    );
  });

  it('UpSampling agrees with its twin: repeated on sequences and images, interpolated on images', () => {
    const sizes = fc.tuple(extent, extent);
    fc.assert(
      fc.property(fc.nat(), fc.tuple(extent, extent, extent), sizes, (seed, shape, size) => {
        const random = testRandom(seed);
        expectAgreement(random, upSamplingLayer(shape, size, 'nearest'), shape);
        expectAgreement(random, upSamplingLayer(shape, size, 'bilinear'), shape);
        expectAgreement(random, upSamplingLayer(shape.slice(1), [size[1]], 'nearest'), shape.slice(1));
      }),
      RUNS,
    );
  });

  it('Permute agrees with its twin for any order of axes', () => {
    const orders = fc.integer({ min: 1, max: 4 }).chain((rank) => {
      const axes = Array.from({ length: rank }, (_, axis) => axis);
      return fc.tuple(fc.array(extent, { minLength: rank, maxLength: rank }), fc.shuffledSubarray(axes, { minLength: rank }));
    });
    fc.assert(
      fc.property(fc.nat(), orders, (seed, [shape, order]) => {
        expectAgreement(testRandom(seed), permuteLayer(shape, order), shape);
      }),
      RUNS,
    );
  });

  it('RepeatVector agrees with its twin', () => {
    fc.assert(
      fc.property(fc.nat(), extent, extent, (seed, features, count) => {
        expectAgreement(testRandom(seed), repeatVectorLayer(features, count), [features]);
      }),
      RUNS,
    );
  });

  it('Flatten and Reshape pass numbers on, also where tf.js leaves an extent open', () => {
    fc.assert(
      fc.property(fc.nat(), fc.tuple(extent, extent, extent), (seed, shape) => {
        const random = testRandom(seed);
        const size = shape.reduce((product, n) => product * n, 1);
        expectAgreement(random, identityLayer('Flatten', {}, size), shape);
        expectAgreement(random, identityLayer('Reshape', { target_shape: [shape[2], null] }, size), shape);
        expectAgreement(random, identityLayer('Reshape', { target_shape: [shape[1], shape[0] * shape[2]] }, size), shape);
      }),
      RUNS,
    );
  });
});

describe('layers that do nothing at inference', () => {
  it.each([
    'Dropout',
    'SpatialDropout1D',
    'SpatialDropout2D',
    'AlphaDropout',
    'GaussianDropout',
    'GaussianNoise',
    'ActivityRegularization',
  ])('%s passes its input on', (className) => {
    expectAgreement(testRandom(1), identityLayer(className, { rate: 0.5, stddev: 1 }, 12), [2, 3, 2]);
  });
});
