import { startBackend } from '@sublace/backend';
import { dotLayer, testRandom, type DotSide } from '@sublace/testing';
import { beforeAll, describe, it } from 'vitest';
import { expectAgreement } from '../testdata/twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('Dot', () => {
  it.each<[string, readonly number[], number, readonly number[], number]>([
    ['two vectors', [4], 0, [4], 0],
    ['rows and rows', [2, 3], 1, [5, 3], 1],
    ['columns and rows', [3, 2], 0, [4, 3], 1],
    ['rows and columns', [2, 3], 1, [3, 4], 0],
    ['columns and a vector', [3, 2], 0, [3], 0],
    ['a vector and rows', [3], 0, [2, 3], 1],
  ])('of %s agrees with its twin, scaled or not', (_, leftShape, leftAxis, rightShape, rightAxis) => {
    const random = testRandom(31);
    const [left, right]: DotSide[] = [
      { shape: leftShape, axis: leftAxis },
      { shape: rightShape, axis: rightAxis },
    ];
    expectAgreement(random, dotLayer('dot', left, right, false), [leftShape, rightShape]);
    expectAgreement(random, dotLayer('dot', left, right, true), [leftShape, rightShape]);
    // Vectors so short that a constant takes the place of their length.
    expectAgreement(random, dotLayer('dot', left, right, true), [leftShape, rightShape], (count) => random.normals(count, 1e-5));
  });
});
